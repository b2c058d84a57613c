#include "core/plugin_host/profile_files.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/disk/file.h"
#include "core/text/json_object.h"
#include "core/text/json_schema.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

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
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("no profile \"{}\"; there are {}", name, list_text(names)),
                {.hint = suggestion(name, names)});
  }
  if (!found->problem.empty())
    throw Error(CKB_CORRUPT, found->problem, {.file = found->path.string()});
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
                      parent == nullptr ? "is not a profile" : "leads back to itself"),
          {.file = line.back()->path.string()});
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

namespace {

constexpr const char* kSchema = "shared/profile.schema.json";

// Returns the members of the top level that the text has twice: a parser keeps the last.
std::vector<std::string> repeated_members(const std::string& text) {
  std::set<std::string> seen;
  std::vector<std::string> repeated;
  [[maybe_unused]] const json parsed_again =
      json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::key && depth == 1 &&
            !seen.insert(parsed.get<std::string>()).second) {
          repeated.push_back(parsed.get<std::string>());
        }
        return true;
      });
  return repeated;
}

json schema_for(const std::vector<ProfileEntry>& profiles, const ProfileEntry* parent) {
  for (const auto& profile : profiles) {
    const fs::path folder = (parent != nullptr ? *parent : profile).path.parent_path();
    boost::system::error_code problem;
    if (fs::exists(folder / kSchema, problem)) {
      return parse_json(read_small(folder / kSchema), (folder / kSchema).string());
    }
  }
  throw Error(CKB_UNSUPPORTED, fmt::format("no plugin brings profiles with a {}", kSchema));
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  boost::system::error_code problem;
  return fs::equivalent(a, b, problem) && !problem;
}

// What is wrong with the fields once those of the parents are among them.
void check_resolved(const json& rules, const std::map<std::string, json>& fields,
                    std::vector<std::string>& problems) {
  for (const json& name : rules.value("required", json::array())) {
    const auto& field = name.get_ref<const std::string&>();
    if (!fields.contains(field)) {
      problems.push_back(field + " is missing: set it, or inherit it from a size");
    }
  }
  const json lengths = rules.value("lengths", json::object());
  for (const auto& [number, text] : lengths.items()) {
    const auto count = fields.find(number);
    const auto counted = fields.find(text.get<std::string>());
    if (count == fields.end() || counted == fields.end() || !count->second.is_number_integer() ||
        !counted->second.is_string()) {
      continue;
    }
    const std::size_t length = counted->second.get_ref<const std::string&>().size();
    if (count->second != length) {
      problems.push_back(fmt::format("{} is {}, but {} has {} letters", number,
                                     count->second.dump(), text.get<std::string>(), length));
    }
  }
}

}  // namespace

std::vector<std::string> profile_problems(const std::vector<ProfileEntry>& profiles,
                                          const fs::path& file) {
  if (!fs::exists(file)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: no such file", file.string()),
                {.file = file.string()});
  }
  const std::string text = read_small(file);
  const json document = parse_json(text, file.string());
  if (!document.is_object()) {
    return {fmt::format("expected an object, found {}", document.type_name())};
  }
  std::vector<std::string> problems;
  for (const std::string& name : repeated_members(text)) {
    problems.push_back(name + ": is given twice");
  }
  const auto text_at = [&](const char* name) {
    const auto member = document.find(name);
    return member != document.end() && member->is_string() ? member->get<std::string>() : "";
  };
  const std::string inherits = text_at("inherits");
  const ProfileEntry* parent = inherits.empty() ? nullptr : find(profiles, inherits);
  if (!inherits.empty() && parent == nullptr) {
    problems.push_back(fmt::format("inherits: there is no profile {}{}", inherits,
                                   did_you_mean(inherits, names_of(profiles))));
  }
  const json schema = schema_for(profiles, parent);
  const auto wrong = schema_problems(schema, document);
  problems.insert(problems.end(), wrong.begin(), wrong.end());
  const std::string name = text_at("name");
  const ProfileEntry* taken = name.empty() ? nullptr : find(profiles, name);
  if (taken != nullptr && !is_same_file(taken->path, file)) {
    problems.push_back(fmt::format("name: {} is the name of a size that ckptbridge has", name));
  }
  if (!inherits.empty() && parent == nullptr) return problems;  // its fields are not known
  std::map<std::string, json> fields;
  if (parent != nullptr) {
    for (const auto& field : profile_fields(profiles, *parent)) {
      fields[field.name] = json::parse(field.value_json);
    }
  }
  for (const auto& [field, value] : document.items()) fields[field] = value;
  check_resolved(schema.value("x-resolved", json::object()), fields, problems);
  return problems;
}

}  // namespace ckptbridge
