#include "core/plugin_host/profile_files.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_schema.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

constexpr const char* kIdentity[] = {"profile_version", "name", "aliases", "inherits", "notes"};
constexpr const char* kSchema = "shared/profile.schema.json";

}  // namespace

std::vector<ProfileFile> list_profiles(const Registry& registry) {
  std::vector<ProfileFile> profiles;
  std::set<fs::path> seen;
  for (const auto& plugin : registry.entries()) {
    if (!plugin.problem.empty() || !plugin.shadowed_by.empty()) continue;
    const fs::path folder = plugin.manifest.profiles_path();
    boost::system::error_code problem;
    if (!fs::is_directory(folder, problem) || !seen.insert(folder).second) continue;
    for (ProfileFile& profile : read_profiles(folder.string())) {
      profile.plugin = plugin.id;
      profiles.push_back(std::move(profile));
    }
  }
  sort_profiles(profiles);
  return profiles;
}

const ProfileFile& require_profile(const std::vector<ProfileFile>& profiles,
                                   const std::string& name) {
  const ProfileFile* found = find_profile(profiles, name);
  if (found == nullptr) {
    const auto names = names_of(profiles);
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("no profile \"{}\"; there are {}", name, list_text(names)),
                {.hint = suggestion(name, names)});
  }
  if (!found->problem.empty()) throw Error(CKB_CORRUPT, found->problem, {.file = found->path});
  return *found;
}

std::vector<ProfileField> profile_fields(const std::vector<ProfileFile>& profiles,
                                         const ProfileFile& profile) {
  std::vector<ProfileField> fields;
  for (const ProfileFile* ancestor : lineage(profiles, profile)) {
    for (const auto& [name, value] : ancestor->document.items()) {
      if (std::find(std::begin(kIdentity), std::end(kIdentity), name) != std::end(kIdentity)) {
        continue;
      }
      auto known = std::find_if(fields.begin(), fields.end(),
                                [&name = name](const auto& field) { return field.name == name; });
      if (known == fields.end()) known = fields.insert(known, {name, {}, ""});
      known->value = value;
      known->from = ancestor->name;
    }
  }
  return fields;
}

namespace {

Json schema_for(const std::vector<ProfileFile>& profiles, const ProfileFile* parent) {
  for (const auto& profile : profiles) {
    const fs::path folder = fs::path((parent != nullptr ? *parent : profile).path).parent_path();
    boost::system::error_code problem;
    if (fs::exists(folder / kSchema, problem)) return read_json((folder / kSchema).string());
  }
  throw Error(CKB_UNSUPPORTED, fmt::format("no plugin brings profiles with a {}", kSchema));
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  boost::system::error_code problem;
  return fs::equivalent(a, b, problem) && !problem;
}

// What is wrong with the fields once those of the parents are among them.
void check_resolved(const Json& rules, const Json& fields, std::vector<std::string>& problems) {
  for (const Json& name : rules.value("required", Json::array())) {
    if (!fields.contains(name.text())) {
      problems.push_back(name.text() + " is missing: set it, or inherit it from a size");
    }
  }
  const Json lengths = rules.value("lengths", Json::object());
  for (const auto& [number, text] : lengths.items()) {
    const Json* count = fields.find(number);
    const Json* counted = fields.find(text.text());
    if (count == nullptr || counted == nullptr || !count->is_integer() || !counted->is_string()) {
      continue;
    }
    const std::size_t length = counted->text().size();
    if (*count != length) {
      problems.push_back(fmt::format("{} is {}, but {} has {} letters", number, count->dump(),
                                     text.text(), length));
    }
  }
}

}  // namespace

std::vector<std::string> profile_problems(const std::vector<ProfileFile>& profiles,
                                          const fs::path& file) {
  std::vector<std::string> problems;
  const Json document = read_json(file.string(), {.repeated = &problems});
  for (std::string& problem : problems) problem += ": is given twice";
  if (!document.is_object()) return {"expected an object, found " + document.shown()};
  const auto text_at = [&](const char* name) {
    const Json* member = document.find(name);
    return member != nullptr && member->is_string() ? member->text() : "";
  };
  const std::string inherits = text_at("inherits");
  const ProfileFile* parent = inherits.empty() ? nullptr : find_profile(profiles, inherits);
  if (!inherits.empty() && parent == nullptr) {
    problems.push_back(fmt::format("inherits: there is no profile {}{}", inherits,
                                   did_you_mean(inherits, names_of(profiles))));
  }
  const Json schema = schema_for(profiles, parent);
  const auto wrong = schema_problems(schema, document);
  problems.insert(problems.end(), wrong.begin(), wrong.end());
  const std::string name = text_at("name");
  const ProfileFile* taken = name.empty() ? nullptr : find_profile(profiles, name);
  if (taken != nullptr && !is_same_file(taken->path, file)) {
    problems.push_back(fmt::format("name: {} is the name of a size that ckptbridge has", name));
  }
  if (!inherits.empty() && parent == nullptr) return problems;  // its fields are not known
  Json fields = Json::object();
  if (parent != nullptr) {
    for (const auto& field : profile_fields(profiles, *parent)) fields[field.name] = field.value;
  }
  fields.update(document);
  check_resolved(schema.value("x-resolved", Json::object()), fields, problems);
  return problems;
}

}  // namespace ckptbridge
