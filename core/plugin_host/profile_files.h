// The profiles that plugins bring, listed, shown and checked without loading a plugin.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/registry.h"
#include "core/text/profile_file.h"

namespace ckptbridge {

// The profiles of all usable plugins, each folder once; a size in the name sorts as a number.
std::vector<ProfileFile> list_profiles(const Registry& registry);

// A field of a profile, and the profile along its chain of parents that states it.
struct ProfileField {
  std::string name;
  Json value;
  std::string from;
};

// The profile of that name or alias. Throws INVALID_ARGUMENT with the names that there are, and
// CORRUPT for one that does not parse.
const ProfileFile& require_profile(const std::vector<ProfileFile>& profiles,
                                   const std::string& name);

// All fields of a profile with those of its parents, the parents' first. Throws as lineage() does.
std::vector<ProfileField> profile_fields(const std::vector<ProfileFile>& profiles,
                                         const ProfileFile& profile);

// All that is wrong with a user's profile, by the schema beside the profiles that it inherits from
// (shared/profile.schema.json in their folder; without inheritance, the first there is). Throws
// what a file that cannot be read or is no JSON throws, and UNSUPPORTED where there is no schema.
//
// Besides the schema's own keywords, "x-resolved" holds for a profile and its parents together:
// {"required": [fields], "lengths": {field of a number: field of the text that is so long}}.
std::vector<std::string> profile_problems(const std::vector<ProfileFile>& profiles,
                                          const boost::filesystem::path& file);

}  // namespace ckptbridge
