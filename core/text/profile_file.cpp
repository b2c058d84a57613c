#include "core/text/profile_file.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <tuple>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

namespace fs = std::filesystem;

// "40b_nv" comes after "7b": by the leading number, then by the rest.
auto sort_key(const ProfileFile& profile) {
  unsigned number = 0;
  const char* begin = profile.name.data();
  const auto result = std::from_chars(begin, begin + profile.name.size(), number);
  const bool has_none = result.ec != std::errc();
  return std::tuple(has_none, number, profile.name);
}

ProfileFile read_profile(const fs::path& path) {
  try {
    return parse_profile(read_json(path), path.string());
  } catch (const Error& error) {
    ProfileFile broken;
    broken.path = path.string();
    broken.name = path.stem().string();
    broken.problem = error.what();
    return broken;
  }
}

}  // namespace

bool ProfileFile::answers_to(std::string_view wanted) const {
  return name == wanted || std::find(aliases.begin(), aliases.end(), wanted) != aliases.end();
}

ProfileFile parse_profile(Json document, const std::string& path) {
  ProfileFile profile;
  profile.path = path;
  JsonObject object(document, path);
  object.integer("profile_version", 1, 1);
  profile.name = object.string("name");
  profile.aliases = object.strings("aliases");
  profile.inherits = object.string_or("inherits", "");
  if (object.find("notes") != nullptr) profile.notes = object.strings("notes");
  profile.document = std::move(document);
  return profile;
}

std::vector<ProfileFile> read_profiles(const fs::path& folder) {
  std::vector<ProfileFile> profiles;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().extension() == ".json") profiles.push_back(read_profile(entry.path()));
  }
  if (problem) {
    throw Error(CKB_IO, folder.string() + ": cannot be listed: " + problem.message(),
                {.file = folder.string()});
  }
  sort_profiles(profiles);
  return profiles;
}

void sort_profiles(std::vector<ProfileFile>& profiles) {
  std::sort(profiles.begin(), profiles.end(),
            [](const ProfileFile& a, const ProfileFile& b) { return sort_key(a) < sort_key(b); });
}

std::vector<std::string> names_of(const std::vector<ProfileFile>& profiles) {
  std::vector<std::string> names;
  for (const ProfileFile& profile : profiles) {
    names.push_back(profile.name);
    names.insert(names.end(), profile.aliases.begin(), profile.aliases.end());
  }
  return names;
}

const ProfileFile* find_profile(const std::vector<ProfileFile>& profiles, std::string_view name) {
  const auto found = std::find_if(profiles.begin(), profiles.end(),
                                  [&](const auto& profile) { return profile.answers_to(name); });
  return found == profiles.end() ? nullptr : &*found;
}

std::vector<const ProfileFile*> lineage(const std::vector<ProfileFile>& profiles,
                                        const ProfileFile& profile) {
  std::vector<const ProfileFile*> line = {&profile};
  while (!line.front()->inherits.empty()) {
    const std::string& wanted = line.front()->inherits;
    const std::string& path = line.front()->path;
    if (std::any_of(line.begin(), line.end(), [&](auto* one) { return one->answers_to(wanted); })) {
      throw Error(CKB_CORRUPT, profile.path + ": inherits from itself", {.file = profile.path});
    }
    const ProfileFile* parent = find_profile(profiles, wanted);
    if (parent == nullptr) {
      throw Error(CKB_CORRUPT, path + ": inherits: there is no profile " + wanted,
                  {.file = path, .hint = suggestion(wanted, names_of(profiles))});
    }
    if (!parent->problem.empty()) throw Error(CKB_CORRUPT, parent->problem, {.file = parent->path});
    line.insert(line.begin(), parent);
  }
  return line;
}

}  // namespace ckptbridge
