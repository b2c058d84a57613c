// Model profiles as any program may read them: files beside a plugin that name a model, whose
// values it inherits, and its fields. What a field means is the plugin's knowledge.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"

namespace ckptbridge {

struct ProfileFile {
  std::string path;
  std::string name;  // by the file's name where it does not parse
  std::vector<std::string> aliases;
  std::string inherits;                           // name of the parent, "" for none
  std::optional<std::vector<std::string>> notes;  // what the user should know of the model
  Json document;
  std::string plugin;   // whose folder holds it; "" where nobody said so
  std::string problem;  // why the file is no profile; "": it is one

  bool answers_to(std::string_view wanted) const;
};

// Throws CORRUPT for a document that does not say what every profile says; path opens the message.
ProfileFile parse_profile(Json document, const std::string& path);

// The profiles of a folder, those with a problem included. A size in the name sorts as a number,
// names without one are last. Throws IO for a folder that cannot be listed.
std::vector<ProfileFile> read_profiles(const std::filesystem::path& folder);
void sort_profiles(std::vector<ProfileFile>& profiles);

// Names and aliases, for suggestions.
std::vector<std::string> names_of(const std::vector<ProfileFile>& profiles);

// nullptr where there is none of that name or alias.
const ProfileFile* find_profile(const std::vector<ProfileFile>& profiles, std::string_view name);

// The profile behind its parent, the parent behind its own, and so on: later ones overrule. Throws
// CORRUPT for parents in a circle, or a parent that there is not or that has a problem.
std::vector<const ProfileFile*> lineage(const std::vector<ProfileFile>& profiles,
                                        const ProfileFile& profile);

}  // namespace ckptbridge
