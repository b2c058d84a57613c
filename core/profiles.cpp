#include "core/profiles.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/file.h"
#include "core/json_object.h"
#include "core/words.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kIdentity[] = {"profile_version", "name", "aliases", "inherits", "notes"};

ProfileEntry read_profile(const std::string& plugin, const fs::path& file) {
  ProfileEntry entry;
  entry.plugin = plugin;
  entry.path = file;
  entry.name = file.stem().string();
  try {
    const json document = parse_json(read_small(file), file.string());
    JsonObject object(document, file.string());
    object.integer("profile_version");
    entry.name = object.string("name");
    entry.aliases = object.strings("aliases");
    const json* parent = object.find("inherits");
    if (parent != nullptr && !parent->is_null()) entry.inherits = object.string("inherits");
    entry.notes = object.strings("notes");
  } catch (const Error& error) {
    entry.problem = error.what();
  }
  return entry;
}

// "40b_nv" comes after "7b": by the leading number, then by the rest. Names without one are last.
auto sort_key(const ProfileEntry& entry) {
  unsigned number = 0;
  const char* begin = entry.name.data();
  const auto result = std::from_chars(begin, begin + entry.name.size(), number);
  const bool has_none = result.ec != std::errc();
  return std::tuple(has_none, number, entry.name);
}

std::vector<std::string> names_of(const std::vector<ProfileEntry>& profiles) {
  std::vector<std::string> names;
  for (const auto& profile : profiles) {
    names.push_back(profile.name);
    names.insert(names.end(), profile.aliases.begin(), profile.aliases.end());
  }
  return names;
}

const ProfileEntry* find(const std::vector<ProfileEntry>& profiles, const std::string& name) {
  for (const auto& profile : profiles) {
    const auto& aliases = profile.aliases;
    if (profile.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return &profile;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<ProfileEntry> list_profiles(const Registry& registry) {
  std::vector<ProfileEntry> profiles;
  std::set<fs::path> seen;
  for (const auto& plugin : registry.entries()) {
    if (!plugin.problem.empty() || !plugin.shadowed_by.empty()) continue;
    const fs::path folder = plugin.manifest.profiles_path();
    boost::system::error_code problem;
    if (folder.empty() || !seen.insert(folder).second) continue;
    for (fs::directory_iterator file(folder, problem), end; !problem && file != end;
         file.increment(problem)) {
      if (file->path().extension() == ".json") {
        profiles.push_back(read_profile(plugin.id, file->path()));
      }
    }
  }
  std::sort(profiles.begin(), profiles.end(),
            [](const ProfileEntry& a, const ProfileEntry& b) { return sort_key(a) < sort_key(b); });
  return profiles;
}

const ProfileEntry& find_profile(const std::vector<ProfileEntry>& profiles,
                                 const std::string& name) {
  const ProfileEntry* found = find(profiles, name);
  if (found == nullptr) {
    const auto names = names_of(profiles);
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("no profile \"{}\"{}; there are {}", name,
                                                  did_you_mean(name, names), list_text(names)));
  }
  if (!found->problem.empty()) throw Error(CKB_CORRUPT, found->problem);
  return *found;
}

std::vector<ProfileField> profile_fields(const std::vector<ProfileEntry>& profiles,
                                         const ProfileEntry& profile) {
  std::vector<const ProfileEntry*> line = {&profile};  // the profile, its parent, and so on
  while (!line.back()->inherits.empty()) {
    const ProfileEntry* parent = find(profiles, line.back()->inherits);
    if (parent == nullptr || std::find(line.begin(), line.end(), parent) != line.end()) {
      throw Error(
          CKB_CORRUPT,
          fmt::format("{}: inherits: \"{}\" {}", line.back()->path.string(), line.back()->inherits,
                      parent == nullptr ? "is no profile" : "leads back to itself"));
    }
    line.push_back(parent);
  }
  std::reverse(line.begin(), line.end());
  std::vector<ProfileField> fields;
  for (const ProfileEntry* ancestor : line) {
    const fs::path& file = ancestor->path;
    parse_json(read_small(file), file.string());  // throws a message with the path
    const auto document = ordered_json::parse(read_small(file));
    for (const auto& [name, value] : document.items()) {
      if (std::find(std::begin(kIdentity), std::end(kIdentity), name) != std::end(kIdentity)) {
        continue;
      }
      auto known = std::find_if(fields.begin(), fields.end(),
                                [&name = name](const auto& field) { return field.name == name; });
      if (known == fields.end()) known = fields.insert(known, {name, "", ""});
      known->value_json = value.dump(-1, ' ', false, json::error_handler_t::replace);
      known->from = ancestor->name;
    }
  }
  return fields;
}

}  // namespace ckptbridge
