// ckptbridge plugins: what there is, what cannot be used and why, and where it was looked for.
#include <algorithm>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

std::vector<std::string> role_names(const Manifest& manifest) {
  std::vector<std::string> names;
  names.reserve(manifest.roles.size());
  for (const Role role : manifest.roles) names.emplace_back(role_name(role));
  return names;
}

bool is_used(const PluginEntry& entry) {
  return entry.problem.empty() && entry.shadowed_by.empty();
}

Json as_json(const PluginEntry& entry) {
  const Manifest& manifest = entry.manifest;
  Json json = {{"id", entry.id},
               {"path", entry.path.string()},
               {"origin", origin_name(entry.origin)},
               {"used", is_used(entry)}};
  if (!entry.problem.empty()) json["problem"] = entry.problem;
  if (!entry.shadowed_by.empty()) json["shadowed_by"] = entry.shadowed_by;
  if (manifest.id.empty()) return json;
  json["version"] = manifest.version;
  json["abi"] = manifest.abi;
  json["roles"] = role_names(manifest);
  json["format"] = manifest.format;
  json["summary"] = manifest.summary;
  if (manifest.preset) json["verb"] = manifest.preset->verb;
  json["options"] = manifest.option_names();
  return json;
}

Json as_json(const OptionSpec& option) {
  Json json = {{"name", option.name}, {"type", option_type_name(option.type)}};
  if (!option.choices.empty()) json["choices"] = option.choices;
  if (!option.default_json.empty()) json["default"] = Json::parse(option.default_json);
  json["required"] = option.required;
  json["repeated"] = option.repeated;
  json["help"] = option.help;
  return json;
}

void print(const Json& json) { fmt::print("{}\n", json.dump(2)); }

void print_json(const Registry& registry) {
  Json plugins = Json::array();
  for (const auto& entry : registry.entries()) plugins.push_back(as_json(entry));
  Json folders = Json::array();
  for (const auto& [folder, state, ids] : registry.folders()) {
    folders.push_back({{"path", folder.path.string()},
                       {"origin", origin_name(folder.origin)},
                       {"state", state.empty() ? "searched" : state},
                       {"plugins", ids}});
  }
  print({{"plugins", plugins}, {"searched", folders}});
}

// Plugins that can be loaded are listed apart from what is a manifest alone.
enum class Kind { kLoadable, kPreset, kRecogniser };

Kind kind_of(const Manifest& manifest) {
  if (manifest.preset) return Kind::kPreset;
  const bool only_recognises = manifest.roles == std::vector<Role>{Role::kRecognise};
  return only_recognises ? Kind::kRecogniser : Kind::kLoadable;
}

// What stands between id and version.
std::string second_column(const Manifest& manifest) {
  return manifest.preset ? manifest.preset->verb : list_text(role_names(manifest));
}

void print_table(const Registry& registry, Kind kind, std::string_view heading) {
  std::vector<const PluginEntry*> rows;
  std::size_t id_width = 0;
  std::size_t second_width = 0;
  for (const auto& entry : registry.entries()) {
    if (!is_used(entry) || kind_of(entry.manifest) != kind) continue;
    rows.push_back(&entry);
    id_width = std::max(id_width, entry.id.size());
    second_width = std::max(second_width, second_column(entry.manifest).size());
  }
  if (!rows.empty()) fmt::print("{}", heading);
  for (const auto* row : rows) {
    fmt::print("{:<{}}  {:<{}}  {:<8} {}\n", row->id, id_width, second_column(row->manifest),
               second_width, row->manifest.version, row->manifest.summary);
  }
}

void print_text(const Registry& registry, bool verbose) {
  print_table(registry, Kind::kLoadable, "");
  print_table(registry, Kind::kPreset, "\npresets, each a verb of `ckptbridge`:\n");
  if (verbose) {
    print_table(registry, Kind::kRecogniser, "\nrecognised by `ckptbridge inspect` only:\n");
  }
  for (const auto& entry : registry.entries()) {
    if (entry.problem.empty() && !entry.shadowed_by.empty()) {
      fmt::print("\n{}: {} comes before {}\n", entry.id, entry.shadowed_by, entry.path.string());
    }
    if (!verbose) continue;
    for (const auto& note : entry.manifest.notes) fmt::print("\nnote: {}\n", note);
  }
  fmt::print("\n{}\n", registry.search_report());
}

void print_line(std::string_view name, const std::string& text) {
  if (!text.empty()) fmt::print("{:<10} {}\n", name, text);
}

std::string properties_text(const Properties& properties) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : properties) parts.push_back(fmt::format("{} = {}", key, value));
  return parts.empty() ? "" : list_text(parts);
}

// What a preset stands for; `VERB --help` lists its arguments.
void print_preset(const Preset& preset) {
  print_line("verb", fmt::format("{} {}", preset.verb, preset.usage));
  print_line("chain", preset.chain.empty() ? "" : list_text(preset.chain));
  print_line("to", preset.to.text);
  std::vector<std::string> options;
  for (const PresetOption& option : preset.options) {
    options.push_back(fmt::format("{}{}{}={}", option.plugin, option.plugin.empty() ? "" : ".",
                                  option.name, option.value.text));
  }
  print_line("sets", options.empty() ? "" : list_text(options));
}

void print_options(const Manifest& manifest) {
  for (const OptionSpec& option : manifest.options) {
    std::string type(option_type_name(option.type));
    if (option.type == OptionType::kChoice) type = list_text(option.choices);
    if (option.required) type += ", required";
    if (option.repeated) type += ", may be repeated";
    if (!option.default_json.empty()) type += ", default " + option.default_json;
    fmt::print("  --{} ({})\n      {}\n", option.name, type, option.help);
  }
}

// All that is known of one plugin, whether it can be used or not.
int show(const Registry& registry, const std::string& id, bool json) {
  std::vector<const PluginEntry*> found;
  for (const auto& entry : registry.entries()) {
    if (entry.id == id) found.push_back(&entry);
  }
  if (found.empty()) registry.require(id);  // which says where it was looked for
  if (json) {
    Json result = Json::array();
    for (const auto* entry : found) {
      result.push_back(as_json(*entry));
      auto& options = result.back()["options"] = Json::array();
      for (const auto& option : entry->manifest.options) options.push_back(as_json(option));
    }
    print(result);
    return 0;
  }
  for (const auto* entry : found) {
    const Manifest& manifest = entry->manifest;
    if (entry != found.front()) fmt::print("\n");
    print_line("plugin", fmt::format("{} {}", entry->id, manifest.version));
    print_line("summary", manifest.summary);
    print_line("manifest",
               fmt::format("{} ({})", entry->path.string(), origin_name(entry->origin)));
    print_line("not used", entry->problem);
    if (!entry->shadowed_by.empty()) print_line("not used", entry->shadowed_by + " comes before");
    if (manifest.id.empty()) continue;
    print_line("roles", list_text(role_names(manifest)));
    print_line("abi", manifest.abi);
    print_line("format", manifest.format);
    print_line("matches", manifest.matches.empty() ? "" : list_text(manifest.matches));
    print_line("needs", properties_text(manifest.needs));
    for (const Rewrite& rewrite : manifest.rewrites) {
      print_line("accepts", properties_text(rewrite.accepts));
      print_line("gives", properties_text(rewrite.gives));
    }
    print_line("runtime", manifest.runtime.empty() ? "" : list_text(manifest.runtime));
    if (manifest.preset) {
      print_preset(*manifest.preset);
      continue;
    }
    print_line("options", manifest.options.empty() ? "none" : "");
    if (!manifest.options.empty()) fmt::print("options\n");
    print_options(manifest);
  }
  return 0;
}

}  // namespace

int plugins(const Arguments& arguments) {
  std::string action = "list";
  std::string id;
  bool json = false;
  bool verbose = false;
  CommandLine line("plugins [list | show ID] [--json]",
                   "Lists the plugins by their manifests, or shows one. Loads none of them.");
  line.optional_positional("ACTION", action, "list (without it, too) or show");
  line.optional_positional("ID", id, "The plugin to show");
  line.flag("--json", json, "Print JSON");
  line.flag("-v,--verbose", verbose, "List also what is only recognised, and notes on manifests");
  declare_plugin_dir(line);
  if (!line.parse(arguments)) return 0;
  const Registry registry = open_registry(arguments);
  if (action == "show" && !id.empty()) return show(registry, id, json);
  if (action != "list" || !id.empty()) {
    throw Error(CKB_INVALID_ARGUMENT, "usage: ckptbridge plugins [list | show ID]",
                {.hint = suggestion(action, {"list", "show"})});
  }
  if (json) {
    print_json(registry);
  } else {
    print_text(registry, verbose);
  }
  return 0;
}

}  // namespace ckptbridge::cli
