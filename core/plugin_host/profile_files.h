// Model profiles as any program may list them: files beside a plugin that name a model and its
// fields. What a field means is the plugin's knowledge, not the core's.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/registry.h"

namespace ckptbridge {

struct ProfileEntry {
  std::string plugin;  // whose folder holds it
  boost::filesystem::path path;
  std::string name;  // by the file's name where it does not parse
  std::vector<std::string> aliases;
  std::string inherits;            // name of the parent, "" for none
  std::vector<std::string> notes;  // what the user should know of the model
  std::string problem;             // why the file is no profile; "": it is one
};

// The profiles of all usable plugins, each folder once; a size in the name sorts as a number.
std::vector<ProfileEntry> list_profiles(const Registry& registry);

// A field of a profile, and the profile along its chain of parents that states it.
struct ProfileField {
  std::string name;
  std::string value_json;
  std::string from;
};

// The profile of that name or alias. Throws INVALID_ARGUMENT with the names that there are, and
// CORRUPT for one that does not parse.
const ProfileEntry& find_profile(const std::vector<ProfileEntry>& profiles,
                                 const std::string& name);

// All fields of a profile with those of its parents, the parents' first. Throws CORRUPT for a
// parent that there is not, or for parents in a circle.
std::vector<ProfileField> profile_fields(const std::vector<ProfileEntry>& profiles,
                                         const ProfileEntry& profile);

// All that is wrong with a user's profile, by the schema beside the profiles that it inherits from
// (shared/profile.schema.json in their folder; without inheritance, the first there is). Throws
// what a file that cannot be read or is no JSON throws, and UNSUPPORTED where there is no schema.
//
// Besides the schema's own keywords, "x-resolved" holds for a profile and its parents together:
// {"required": [fields], "lengths": {field of a number: field of the text that is so long}}.
std::vector<std::string> profile_problems(const std::vector<ProfileEntry>& profiles,
                                          const boost::filesystem::path& file);

}  // namespace ckptbridge
