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
#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"

namespace ckptbridge::evo2 {
namespace {

// Bounds what a hostile pattern makes of a few bytes; the largest model has 50 layers.
constexpr std::size_t kMostLayers = 4096;

// What one file says, before inheritance.
struct Draft {
  Profile profile;  // values: only the file's own
  std::optional<std::string> inherits;
  bool names_class = false;  // nemo_class is given, perhaps as null
  bool has_notes = false;
};

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

bool is_identifier(std::string_view text) {
  return is_name(text) && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         text.find_first_of("-.") == std::string_view::npos;
}

// origin names the file in messages.
Draft read_draft(const Json& json, const std::string& origin, const FieldTable& fields) {
  Draft draft;
  draft.profile.origin = origin;
  Members members(json, draft.profile.origin);
  members.integer("profile_version", 1, 1);
  draft.profile.name = members.text("name");
  if (!is_name(draft.profile.name)) {
    members.fail("name", "expected letters, digits, '_', '-' and '.'");
  }
  if (members.find("aliases") != nullptr) draft.profile.aliases = members.texts("aliases");
  if (members.find("inherits") != nullptr) draft.inherits = members.text("inherits");
  if (const Json* nemo_class = members.find("nemo_class")) {
    draft.names_class = true;
    if (!nemo_class->is_null()) {
      draft.profile.nemo_class = members.text("nemo_class");
      if (!is_identifier(draft.profile.nemo_class)) {
        members.fail("nemo_class", "expected the name of a Python class");
      }
    }
  }
  if (members.find("notes") != nullptr) {
    draft.has_notes = true;
    draft.profile.notes = members.texts("notes");
  }
  for (const Field& field : fields.all()) {
    const Json* value = members.find(field.name);
    if (value == nullptr) continue;
    draft.profile.values[field.name] = parse_value(field, *value, draft.profile.origin);
    if (field.in_configuration) draft.profile.overrides.push_back(field.name);
  }
  members.require_all_known();
  return draft;
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
    throw Error(CKB_INVALID_ARGUMENT, profile.origin + ": " + message);
  };
  for (const Field& field : fields.all()) {
    if (!profile.values.contains(field.name)) {
      fail(field.name + " is missing: set it, or inherit it from a size");
    }
  }
  const std::string& pattern = profile.text("hybrid_override_pattern");
  const std::size_t wrong = pattern.find_first_not_of("SDH*");
  if (wrong != std::string::npos) {
    fail("hybrid_override_pattern: expected the letters S, D, H and *, found '" +
         pattern.substr(wrong, 1) + "' at " + std::to_string(wrong));
  }
  if (pattern.empty() || pattern.size() > kMostLayers) {
    fail("hybrid_override_pattern: expected 1 to 4096 layers, found " +
         std::to_string(pattern.size()));
  }
  if (profile.integer("num_layers") != static_cast<std::int64_t>(pattern.size())) {
    fail("num_layers is " + std::to_string(profile.integer("num_layers")) +
         ", but hybrid_override_pattern has " + std::to_string(pattern.size()) + " layers");
  }
}

// The draft's profile with what it inherits from parent.
Profile inherit(Draft draft, const Profile* parent, const FieldTable& fields) {
  Profile out = std::move(draft.profile);
  if (parent != nullptr) {
    for (const auto& [name, value] : parent->values) out.values.emplace(name, value);
    if (!draft.has_notes) out.notes = parent->notes;
    if (!draft.names_class) {
      out.nemo_class = parent->nemo_class;
      out.overrides.insert(out.overrides.end(), parent->overrides.begin(), parent->overrides.end());
    }
  } else {
    for (const Field& field : fields.all()) {
      if (field.default_value) out.values.emplace(field.name, *field.default_value);
    }
  }
  // A class of its own has these values; there is nothing to override.
  if (draft.names_class) out.overrides.clear();
  out.overrides = in_field_order(out.overrides, fields);
  require_consistent(out, fields);
  return out;
}

bool answers_to(const Profile& profile, std::string_view name) {
  return profile.name == name ||
         std::find(profile.aliases.begin(), profile.aliases.end(), name) != profile.aliases.end();
}

enum class Progress { kNew, kOpen, kDone };

// A draft, and its profile once its ancestors are known.
struct Entry {
  Draft draft;
  Profile profile;
  Progress progress = Progress::kNew;
};

// Resolves the inheritance of entry and of all that it needs.
const Profile& resolve(std::vector<Entry>& entries, Entry& entry, const FieldTable& fields) {
  if (entry.progress == Progress::kDone) return entry.profile;
  const Draft& draft = entry.draft;
  if (entry.progress == Progress::kOpen) {
    throw Error(CKB_INVALID_ARGUMENT, draft.profile.origin + ": inherits from itself");
  }
  entry.progress = Progress::kOpen;
  const Profile* parent = nullptr;
  if (draft.inherits) {
    std::vector<std::string> names;
    for (Entry& other : entries) {
      names.push_back(other.draft.profile.name);
      if (answers_to(other.draft.profile, *draft.inherits)) {
        parent = &resolve(entries, other, fields);
      }
    }
    if (parent == nullptr) {
      throw Error(CKB_INVALID_ARGUMENT, draft.profile.origin + ": inherits: there is no profile " +
                                            *draft.inherits + suggestion(*draft.inherits, names));
    }
  }
  entry.profile = inherit(draft, parent, fields);
  entry.progress = Progress::kDone;
  return entry.profile;
}

// Each name and alias belongs to one profile.
void require_distinct(const std::vector<Entry>& entries) {
  std::map<std::string, std::string> origins;
  for (const Entry& entry : entries) {
    const Profile& profile = entry.draft.profile;
    std::vector<std::string> names = profile.aliases;
    names.push_back(profile.name);
    for (const std::string& name : names) {
      const auto [found, added] = origins.emplace(name, profile.origin);
      if (!added) {
        throw Error(CKB_INVALID_ARGUMENT,
                    profile.origin + ": the name " + name + " is taken by " + found->second);
      }
    }
  }
}

// Names are sorted by their leading number, so that 7b stands before 20b.
std::pair<int, std::string> sort_key(const Profile& profile) {
  int number = 0;
  const char* end = profile.name.data() + profile.name.size();
  const auto parsed = std::from_chars(profile.name.data(), end, number);
  return {parsed.ec == std::errc() ? number : INT32_MAX, profile.name};
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
    : folder_(folder), fields_(folder / "shared" / "fields.json") {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (error) {
    throw Error(CKB_IO, folder.string() + ": cannot be listed: " + error.message(),
                {.file = folder.string()});
  };
  std::sort(files.begin(), files.end());
  std::vector<Entry> entries;
  entries.reserve(files.size());
  for (const std::filesystem::path& file : files) {
    entries.push_back(
        {read_draft(read_json(file), file.filename().string(), fields_), {}, Progress::kNew});
  }
  require_distinct(entries);
  for (Entry& entry : entries) profiles_.push_back(resolve(entries, entry, fields_));

  std::sort(profiles_.begin(), profiles_.end(),
            [](const Profile& a, const Profile& b) { return sort_key(a) < sort_key(b); });
}

const Profile& Catalogue::find(std::string_view name) const {
  std::vector<std::string> names;
  names.reserve(profiles_.size());
  std::string list;
  for (const Profile& profile : profiles_) {
    if (answers_to(profile, name)) return profile;
    names.push_back(profile.name);
    names.insert(names.end(), profile.aliases.begin(), profile.aliases.end());
    list += (list.empty() ? "" : ", ") + profile.name;
  }
  const std::string near = suggestion(name, names);
  throw Error(CKB_INVALID_ARGUMENT,
              "there is no model size " + std::string(name) + "; known are " + list,
              {.hint = near.empty() ? "--profile FILE takes one of your own" : near.substr(2)});
}

Profile Catalogue::read(const std::filesystem::path& file) const {
  return about({.file = file.string()}, [&] { return parse(read_json(file), file.string()); });
}

Profile Catalogue::parse(const Json& json, const std::string& origin) const {
  Draft draft = read_draft(json, origin, fields_);
  for (const Profile& profile : profiles_) {
    if (answers_to(profile, draft.profile.name)) {
      throw Error(CKB_INVALID_ARGUMENT, draft.profile.origin + ": name: " + draft.profile.name +
                                            " is the name of a size that ckptbridge has");
    }
  }
  const Profile* parent = nullptr;
  if (draft.inherits) {
    if (*draft.inherits == draft.profile.name) {
      throw Error(CKB_INVALID_ARGUMENT, draft.profile.origin + ": inherits from itself");
    }
    try {
      parent = &find(*draft.inherits);
    } catch (const Error& error) {
      throw error.retold(error.code(), draft.profile.origin + ": inherits: " + error.what());
    }
  }
  return inherit(std::move(draft), parent, fields_);
}

}  // namespace ckptbridge::evo2
