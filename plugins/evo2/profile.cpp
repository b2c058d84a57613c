// A profile is one JSON object:
//   profile_version  1
//   name, aliases    what --model-size takes; aliases may be left out
//   inherits         the name of the profile whose values are taken where this one has none
//   nemo_class       NeMo's configuration class with exactly these values; null: NeMo has none;
//                    left out: the ancestor's class, and the fields here are overrides of it
//   notes            printed after success
//   any field of shared/fields.json
#include "plugins/evo2/profile.h"

#include <algorithm>
#include <cctype>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"
#include "core/text/spelling.h"

namespace ckptbridge::evo2 {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

bool is_identifier(std::string_view text) {
  return is_name(text) && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         text.find_first_of("-.") == std::string_view::npos;
}

// Adds what one file says to the values of its parents.
void add_values(Profile& profile, const ProfileFile& file, const FieldTable& fields) {
  JsonObject members(file.document, file.path);
  for (const char* read : {"profile_version", "name", "aliases", "inherits", "notes"}) {
    members.find(read);
  }
  if (!is_name(file.name)) members.refuse("name", "expected letters, digits, '_', '-' and '.'");
  profile.name = file.name;
  profile.aliases = file.aliases;
  if (file.notes) profile.notes = *file.notes;
  const Json* nemo_class = members.find("nemo_class");
  for (const Field& field : fields.all()) {
    const Json* value = members.find(field.name);
    if (value == nullptr) continue;
    profile.values[field.name] = parse_value(field, *value, file.path);
    if (field.in_configuration) profile.overrides.push_back(field.name);
  }
  members.require_all_read();
  if (nemo_class == nullptr) return;
  // A class of its own has these values; there is nothing to override.
  profile.overrides.clear();
  profile.nemo_class = nemo_class->is_null() ? "" : members.string("nemo_class");
  if (!nemo_class->is_null() && !is_identifier(profile.nemo_class)) {
    members.refuse("nemo_class", "expected the name of a Python class");
  }
}

// Puts names in the order of the field table and drops repetitions.
std::vector<std::string> in_field_order(const std::vector<std::string>& names,
                                        const FieldTable& fields) {
  std::vector<std::string> out;
  for (const Field& field : fields.all()) {
    if (std::find(names.begin(), names.end(), field.name) != names.end()) {
      out.push_back(field.name);
    }
  }
  return out;
}

void require_consistent(const Profile& profile, const FieldTable& fields) {
  const auto fail = [&](const std::string& message) {
    throw Error(CKB_CORRUPT, profile.origin + ": " + message);
  };
  for (const Field& field : fields.all()) {
    if (!profile.values.contains(field.name)) {
      fail(field.name + " is missing: set it, or inherit it from a size");
    }
  }
  for (const Field& field : fields.all()) {
    if (field.length_of.empty()) continue;
    const std::size_t length = profile.text(field.length_of).size();
    if (profile.integer(field.name) != static_cast<std::int64_t>(length)) {
      fail(field.name + " is " + std::to_string(profile.integer(field.name)) + ", but " +
           field.length_of + " has " + std::to_string(length) + " letters");
    }
  }
}

// line: the profile behind its parents. origin names it in messages.
Profile resolve(const std::vector<const ProfileFile*>& line, const FieldTable& fields,
                const std::string& origin) {
  Profile out;
  out.origin = origin;
  for (const Field& field : fields.all()) {
    if (field.default_value) out.values.emplace(field.name, *field.default_value);
  }
  for (const ProfileFile* file : line) add_values(out, *file, fields);
  out.overrides = in_field_order(out.overrides, fields);
  require_consistent(out, fields);
  return out;
}

// Each name and alias belongs to one profile.
void require_distinct(const std::vector<ProfileFile>& files) {
  std::map<std::string, std::string> owners;
  for (const ProfileFile& file : files) {
    for (const std::string& name : names_of({file})) {
      const auto [found, added] = owners.emplace(name, file.path);
      if (added) continue;
      throw Error(CKB_CORRUPT, file.path + ": the name " + name + " is taken by " + found->second);
    }
  }
}

const Value& value_of(const Profile& profile, std::string_view field) {
  const auto found = profile.values.find(field);
  if (found == profile.values.end()) {
    throw Error(CKB_INTERNAL, "profile field " + std::string(field) + " does not exist");
  }
  return found->second;
}

template <typename T>
const T& typed(const Profile& profile, std::string_view field) {
  const T* value = std::get_if<T>(&value_of(profile, field));
  if (value == nullptr) {
    throw Error(CKB_INVALID_ARGUMENT, profile.origin + ": " + std::string(field) + " is " +
                                          to_text(value_of(profile, field)) +
                                          ", but the shapes of tensors depend on it");
  }
  return *value;
}

}  // namespace

std::int64_t Profile::integer(std::string_view field) const {
  return typed<std::int64_t>(*this, field);
}

bool Profile::flag(std::string_view field) const { return typed<bool>(*this, field); }

const std::string& Profile::text(std::string_view field) const {
  return typed<std::string>(*this, field);
}

Profile with_override(Profile profile, const FieldTable& fields, const std::string& field,
                      const Value& value) {
  if (fields.find(field) == nullptr) {
    throw Error(CKB_INTERNAL, "profile field " + field + " does not exist");
  }
  profile.values.insert_or_assign(field, value);
  profile.overrides.push_back(field);
  profile.overrides = in_field_order(profile.overrides, fields);
  return profile;
}

Catalogue::Catalogue(const std::filesystem::path& folder)
    : folder_(folder), fields_(folder / "shared" / "fields.json"), files_(read_profiles(folder)) {
  for (const ProfileFile& file : files_) {
    if (!file.problem.empty()) throw Error(CKB_CORRUPT, file.problem, {.file = file.path});
  }
  require_distinct(files_);
  for (const ProfileFile& file : files_) {
    const std::string origin = std::filesystem::path(file.path).filename().string();
    profiles_.push_back(resolve(lineage(files_, file), fields_, origin));
  }
}

const Profile& Catalogue::find(std::string_view name) const {
  const ProfileFile* found = find_profile(files_, name);
  if (found != nullptr) return profiles_[static_cast<std::size_t>(found - files_.data())];
  std::string list;
  for (const Profile& profile : profiles_) list += (list.empty() ? "" : ", ") + profile.name;
  const std::string near = suggestion(name, names_of(files_));
  throw Error(CKB_INVALID_ARGUMENT,
              "there is no model size " + std::string(name) + "; known are " + list,
              {.hint = near.empty() ? "--profile FILE takes one of your own" : near});
}

Profile Catalogue::read(const std::filesystem::path& file) const {
  return about({.file = file.string()}, [&] { return parse(read_json(file), file.string()); });
}

Profile Catalogue::parse(const Json& json, const std::string& origin) const {
  try {
    const ProfileFile file = parse_profile(json, origin);
    if (find_profile(files_, file.name) != nullptr) {
      throw Error(CKB_CORRUPT,
                  origin + ": name: " + file.name + " is the name of a size that ckptbridge has");
    }
    return resolve(lineage(files_, file), fields_, origin);
  } catch (const Error& error) {
    if (error.code() != CKB_CORRUPT) throw;
    throw error.retold(CKB_INVALID_ARGUMENT,
                       error.what());  // the user names it on the command line
  }
}

}  // namespace ckptbridge::evo2
