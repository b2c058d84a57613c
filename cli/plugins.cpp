// ckptbridge plugins: what there is, what cannot be used and why, and where it was looked for.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/setup.h"
#include "cli/verbs.h"
#include "core/words.h"

namespace ckptbridge::cli {
namespace {

using nlohmann::ordered_json;

std::vector<std::string> role_names(const Manifest& manifest) {
  std::vector<std::string> names;
  names.reserve(manifest.roles.size());
  for (const Role role : manifest.roles) names.emplace_back(role_name(role));
  return names;
}

bool is_used(const PluginEntry& entry) {
  return entry.problem.empty() && entry.shadowed_by.empty();
}

ordered_json as_json(const PluginEntry& entry) {
  const Manifest& manifest = entry.manifest;
  ordered_json json = {{"id", entry.id},
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
  json["options"] = manifest.option_names();
  return json;
}

void print_json(const Registry& registry) {
  ordered_json plugins = ordered_json::array();
  for (const auto& entry : registry.entries()) plugins.push_back(as_json(entry));
  ordered_json folders = ordered_json::array();
  for (const auto& [folder, state, ids] : registry.folders()) {
    folders.push_back({{"path", folder.path.string()},
                       {"origin", origin_name(folder.origin)},
                       {"state", state.empty() ? "searched" : state},
                       {"plugins", ids}});
  }
  const ordered_json result = {{"plugins", plugins}, {"searched", folders}};
  fmt::print("{}\n", result.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_table(const Registry& registry, bool recognisers) {
  std::vector<const PluginEntry*> rows;
  std::size_t id_width = 0;
  std::size_t role_width = 0;
  for (const auto& entry : registry.entries()) {
    const bool only_recognises = entry.manifest.roles == std::vector<Role>{Role::kRecognise};
    if (!is_used(entry) || only_recognises != recognisers) continue;
    rows.push_back(&entry);
    id_width = std::max(id_width, entry.id.size());
    role_width = std::max(role_width, list_text(role_names(entry.manifest)).size());
  }
  for (const auto* row : rows) {
    const auto roles = list_text(role_names(row->manifest));
    fmt::print("{:<{}}  {:<{}}  {:<8} {}\n", row->id, id_width, roles, role_width,
               row->manifest.version, row->manifest.summary);
  }
}

void print_text(const Registry& registry, bool verbose) {
  print_table(registry, false);
  if (verbose) {
    fmt::print("\nrecognised by `ckptbridge inspect` only:\n");
    print_table(registry, true);
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

}  // namespace

int plugins(const Arguments& arguments) {
  bool json = false;
  bool verbose = false;
  CommandLine line("plugins [--json]", "Lists the plugins by their manifests. Loads none of them.");
  line.flag("--json", json, "Print JSON");
  line.flag("-v,--verbose", verbose, "List also what is only recognised, and notes on manifests");
  declare_plugin_dir(line);
  if (!line.parse(arguments)) return 0;
  const Registry registry = open_registry(arguments);
  if (json) {
    print_json(registry);
  } else {
    print_text(registry, verbose);
  }
  return 0;
}

}  // namespace ckptbridge::cli
