// What the manifest of a preset alone cannot tell: whether this command can have such a verb.
#include <map>

#include <fmt/format.h>

#include "cli/verbs/converting.h"
#include "cli/verbs/presets.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

bool is_option_of_a_plugin(const Registry& registry, const std::string& name) {
  for (const Role role : {Role::kReader, Role::kTransform, Role::kWriter}) {
    for (const Manifest* plugin : registry.with_role(role)) {
      if (plugin->option(name) != nullptr) return true;
    }
  }
  return false;
}

// What is wrong with the options that a preset takes and sets; "": nothing.
std::string problem_of_options(const Preset& preset, const Registry& registry,
                               const CommandLine& common) {
  for (const PresetArgument& argument : preset.arguments) {
    for (const std::string& name : argument.names) {
      if (name.starts_with('-') && common.has(name)) {
        return fmt::format("arguments: {} is an option that all conversions take", name);
      }
    }
  }
  for (const PresetOption& option : preset.options) {
    // Those of a chain's plugins are looked at when it runs: they may be found elsewhere by then.
    if (!option.plugin.empty() || common.has(option.name)) continue;
    if (preset.chain.empty() && is_option_of_a_plugin(registry, option.name)) continue;
    return fmt::format("sets: \"{}\" is not an option that conversions take", option.name);
  }
  return "";
}

}  // namespace

void refuse_presets(Registry& registry, const std::vector<std::string>& reserved) {
  CommonOptions ignored;
  CommandLine common("", "");
  declare_common_options(common, ignored);
  std::map<std::string, std::string> owners;  // of verbs
  for (const std::string& verb : reserved) owners[hyphenated(verb)] = "the program's own";
  for (const PluginEntry& entry : registry.entries()) {
    if (!entry.problem.empty() || !entry.shadowed_by.empty() || !entry.manifest.preset) continue;
    const Preset& preset = *entry.manifest.preset;
    std::string problem = problem_of_options(preset, registry, common);
    if (problem.empty()) {
      const auto [owner, is_new] =
          owners.emplace(hyphenated(preset.verb),
                         fmt::format("that of {}, which comes first", entry.path.string()));
      if (!is_new) problem = fmt::format("its verb {} is {}", preset.verb, owner->second);
    }
    if (!problem.empty()) registry.refuse(entry.id, problem);
  }
}

}  // namespace ckptbridge::cli
