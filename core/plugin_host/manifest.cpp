#include "core/plugin_host/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/json_object.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

constexpr std::int64_t kManifestVersion = 1;

constexpr std::array<std::pair<std::string_view, Role>, 6> kRoles = {{
    {"reader", Role::kReader},
    {"transform", Role::kTransform},
    {"writer", Role::kWriter},
    {"recognise", Role::kRecognise},
    {"compute", Role::kCompute},
    {"preset", Role::kPreset},
}};

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> result;
  result.reserve(table.size());
  for (const auto& row : table) result.emplace_back(row.first);
  return result;
}

// Returns the value of a word in table. Throws an error that lists the words there are.
template <class Table>
auto look_up(JsonObject& object, const std::string& member, const std::string& word,
             const Table& table) {
  for (const auto& [name, value] : table) {
    if (name == word) return value;
  }
  const auto names = names_of(table);
  object.refuse(member, fmt::format("\"{}\" is none of {}", word, list_text(names)),
                suggestion(word, names));
}

bool is_word(std::string_view text, std::string_view extra) {
  if (text.empty() || text.front() < 'a' || text.front() > 'z') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(c) != extra.npos;
  });
}

// Relative, and inside the folder of the manifest.
void require_beside(JsonObject& object, const std::string& member, const std::string& name) {
  const boost::filesystem::path path(name);
  bool leaves = path.empty() || path.is_absolute();
  for (const auto& part : path) leaves = leaves || part == "..";
  if (leaves) {
    object.refuse(member, fmt::format("\"{}\" must be a path below the manifest's folder", name));
  }
}

OptionSpec parse_option(JsonObject& object) {
  OptionSpec option;
  option.name = object.string("name");
  if (!is_word(option.name, "-")) {
    object.refuse("name",
                  fmt::format("\"{}\" must be small letters, digits and hyphens", option.name));
  }
  if (option.name == "path") object.refuse("name", "\"path\" means the input or output of a chain");
  option.type = look_up(object, "type", object.string("type"), kOptionTypes);
  option.choices = object.strings("choices");
  option.required = object.boolean_or("required", false);
  option.repeated = object.boolean_or("repeated", false);
  option.help = object.string_or("help", "");
  if ((option.type == OptionType::kChoice) == option.choices.empty()) {
    object.refuse("choices", "must be there for the type choice and for no other");
  }
  if (const Json* fallback = object.find("default")) {
    option.default_json = fallback->dump();
    if (const auto problem = problem_of_default(option); !problem.empty()) {
      object.refuse("default", problem);
    }
    if (option.required) object.refuse("required", "an option with a default is never missing");
  }
  return option;
}

void parse_options(JsonObject& object, Manifest& manifest) {
  if (object.find("options") == nullptr) return;
  for (JsonObject& given : object.objects("options")) {
    auto option = parse_option(given);
    if (manifest.option(option.name) != nullptr) {
      object.refuse("options", fmt::format("\"{}\" is there twice", option.name));
    }
    manifest.options.push_back(std::move(option));
  }
}

// "1.3" in its two numbers.
std::pair<unsigned, unsigned> parse_abi(JsonObject& object, const std::string& abi) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = abi.data() + abi.size();
  auto result = std::from_chars(abi.data(), end, major);
  if (result.ec == std::errc() && result.ptr != end && *result.ptr == '.') {
    result = std::from_chars(result.ptr + 1, end, minor);
    if (result.ec == std::errc() && result.ptr == end) return {major, minor};
  }
  object.refuse("abi", fmt::format("\"{}\" is not MAJOR.MINOR, such as 1.0", abi));
}

// What only a manifest with a library has.
void parse_library(JsonObject& object, Manifest& manifest) {
  manifest.version = object.string("version");
  manifest.abi = object.string("abi");
  manifest.library = object.string("library");
  require_beside(object, "library", manifest.library);
  const auto [major, minor] = parse_abi(object, manifest.abi);
  if (major != CKB_ABI_MAJOR || minor > CKB_ABI_MINOR) {
    manifest.unusable = fmt::format("needs ckptbridge plugin ABI {}, this is {}.{}", manifest.abi,
                                    CKB_ABI_MAJOR, CKB_ABI_MINOR);
  }
}

void parse_roles(JsonObject& object, Manifest& manifest) {
  for (const auto& word : object.strings("roles")) {
    const Role role = look_up(object, "roles", word, kRoles);
    if (!manifest.has(role)) manifest.roles.push_back(role);
  }
  if (manifest.roles.empty()) {
    object.refuse("roles", fmt::format("one of {} is needed", list_text(names_of(kRoles))));
  }
  if (manifest.has(Role::kPreset) && manifest.roles.size() > 1) {
    object.refuse("roles", "preset stands alone: a preset has no library");
  }
}

// "option:NAME" in these members names an option that the plugin has.
void require_known_options(JsonObject& object, const Manifest& manifest, const std::string& member,
                           const Properties& properties) {
  for (const auto& [key, value] : properties) {
    const auto name = referenced_option(value);
    if (name && manifest.option(*name) == nullptr) {
      object.refuse(member,
                    fmt::format("{} refers to the option \"{}\", which options lacks", key, *name),
                    suggestion(*name, manifest.option_names()));
    }
  }
}

void note_unread(const JsonObject& object, Manifest& manifest) {
  for (const auto& name : object.unread()) {
    manifest.notes.push_back(fmt::format("{}: unknown member \"{}\"", object.where(), name));
  }
}

Rewrite parse_rewrite(JsonObject& object, const Manifest& manifest) {
  Rewrite rewrite{object.string_map("accepts"), object.string_map("gives")};
  require_known_options(object, manifest, "gives", rewrite.gives);
  return rewrite;
}

// "rewrites", or "accepts" and "gives" where there is only one.
void parse_rewrites(JsonObject& object, Manifest& manifest) {
  const bool are_many = object.find("rewrites") != nullptr;
  const bool is_one = object.find("accepts") != nullptr || object.find("gives") != nullptr;
  if (is_one) manifest.rewrites.push_back(parse_rewrite(object, manifest));
  if (!are_many) return;
  if (is_one)
    object.refuse("rewrites", "stands in the place of accepts and gives, not beside them");
  for (JsonObject& one : object.objects("rewrites")) {
    manifest.rewrites.push_back(parse_rewrite(one, manifest));
    note_unread(one, manifest);
  }
}

}  // namespace

std::string_view role_name(Role role) {
  for (const auto& [name, value] : kRoles) {
    if (value == role) return name;
  }
  return "";
}

std::optional<std::string> referenced_option(const std::string& value) {
  constexpr std::string_view kPrefix = "option:";
  if (!value.starts_with(kPrefix)) return std::nullopt;
  return value.substr(kPrefix.size());
}

bool Manifest::has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

const OptionSpec* Manifest::option(std::string_view name) const {
  const std::string wanted = hyphenated(name);
  for (const auto& option : options) {
    if (option.name == wanted) return &option;
  }
  return nullptr;
}

std::vector<std::string> Manifest::option_names() const {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const auto& option : options) names.push_back(option.name);
  return names;
}

boost::filesystem::path Manifest::library_path() const { return path.parent_path() / library; }

boost::filesystem::path Manifest::profiles_path() const {
  return profiles.empty() ? boost::filesystem::path() : path.parent_path() / profiles;
}

Manifest parse_manifest(const std::string& text, const boost::filesystem::path& path) {
  const Json document = Json::parse(text, path.string());
  JsonObject object(document, path.string());
  // First, because a later version may change the meaning of all else.
  if (const auto version = object.integer("manifest_version"); version != kManifestVersion) {
    object.refuse("manifest_version", fmt::format("is {}, this program knows {}; a newer "
                                                  "ckptbridge is needed",
                                                  version, kManifestVersion));
  }
  Manifest manifest;
  manifest.path = path;
  manifest.id = object.string("id");
  if (!is_word(manifest.id, "-_.")) {
    object.refuse("id", fmt::format("\"{}\" must be small letters, digits, hyphens and underscores "
                                    "(acme.gguf-writer for a plugin of the vendor acme)",
                                    manifest.id));
  }
  if (path.stem() != manifest.id) {
    object.refuse("id", fmt::format("is \"{0}\", so the file must be named {0}.json", manifest.id));
  }
  parse_roles(object, manifest);
  const bool only_recognises = manifest.roles == std::vector<Role>{Role::kRecognise};
  const bool has_library = !only_recognises && !manifest.has(Role::kPreset);
  if (has_library) parse_library(object, manifest);
  manifest.version = object.string_or("version", "");
  manifest.summary = object.string("summary");
  const bool named =
      manifest.has(Role::kReader) || manifest.has(Role::kWriter) || manifest.has(Role::kRecognise);
  manifest.format = named ? object.string("format") : object.string_or("format", "");
  parse_options(object, manifest);
  manifest.runtime = object.strings("runtime");
  manifest.profiles = object.string_or("profiles", "");
  if (!manifest.profiles.empty()) require_beside(object, "profiles", manifest.profiles);

  manifest.needs = object.string_map("needs");
  require_known_options(object, manifest, "needs", manifest.needs);
  parse_rewrites(object, manifest);

  manifest.matches = object.strings("matches");
  manifest.contains = object.strings("contains");
  manifest.begins_with = object.string_or("begins_with", "");
  manifest.owns = object.strings("owns");
  manifest.edits = object.strings("edits");
  manifest.on_difference = object.string_or("on_difference", "");
  manifest.properties = object.string_map("properties");
  manifest.text =
      manifest.has(Role::kRecognise) ? object.string("text") : object.string_or("text", "");
  if (only_recognises && manifest.matches.empty() && manifest.contains.empty() &&
      manifest.begins_with.empty() && manifest.properties.empty()) {
    object.refuse("roles", "recognise needs matches, contains, begins_with or properties");
  }
  if (manifest.has(Role::kPreset)) manifest.preset = parse_preset(object, manifest.notes);
  note_unread(object, manifest);
  return manifest;
}

}  // namespace ckptbridge
