#include "cli/verbs/presets.h"

#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/verbs/converting.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// What was typed for each argument of a preset, in their order.
class TypedArguments {
 public:
  explicit TypedArguments(const Preset& preset) : preset_(&preset) {
    for (const PresetArgument& argument : preset.arguments) {
      values_.push_back({argument.fallback, false});
    }
  }

  // The values must stay where they are until the line has been parsed.
  void declare(CommandLine& line) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const PresetArgument& argument = preset_->arguments[i];
      std::string names;
      for (const auto& name : argument.names) names += (names.empty() ? "" : ",") + name;
      const std::string help =
          argument.help + (argument.fallback.empty() ? "" : " [" + argument.fallback + "]");
      if (argument.is_positional()) {
        line.positional(names, values_[i].text, help);
      } else if (argument.is_flag()) {
        line.flag(names, values_[i].is_set, help);
      } else if (argument.required) {
        line.required_option(names, argument.value_name, values_[i].text, help);
      } else {
        line.option(names, argument.value_name, values_[i].text, help);
      }
    }
  }

  void require_choices() const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const PresetArgument& argument = preset_->arguments[i];
      const auto& choices = argument.choices;
      const std::string& value = values_[i].text;
      if (choices.empty() || (value.empty() && argument.fallback.empty() && !argument.required) ||
          std::find(choices.begin(), choices.end(), value) != choices.end()) {
        continue;
      }
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("--{}: \"{}\" is none of {}", argument.name(), value, list_text(choices)),
          {.hint = suggestion(value, choices)});
    }
  }

  std::optional<std::string> value(const std::string& name) const {
    const PresetArgument* argument = preset_->argument(name);
    const Value& typed = values_[static_cast<std::size_t>(argument - preset_->arguments.data())];
    if (typed.is_set) return "true";
    if (typed.text.empty() && !argument->required) return std::nullopt;
    return typed.text;
  }

 private:
  struct Value {
    std::string text;
    bool is_set = false;  // of a flag
  };
  const Preset* preset_;
  std::vector<Value> values_;
};

// One use of a preset, from its parsed command line to the request.
class PresetUse {
 public:
  PresetUse(const Registry& registry, const Manifest& manifest, const TypedArguments& typed,
            Request& request)
      : registry_(registry),
        manifest_(manifest),
        preset_(*manifest.preset),
        typed_(typed),
        request_(request) {}

  void fill_request(CommandLine& line) {
    request_.input = text_of(preset_.input);
    request_.output = text_of(preset_.output);
    if (const std::string folder = text_of(preset_.folder); !folder.empty()) {
      request_.output /= folder;
    }
    request_.skip_complete = preset_.skip_complete;
    request_.to = text_of(preset_.to);
    if (preset_.chain.empty()) registry_.require(Role::kWriter, request_.to);
    set_steps();
    request_.job = text_of(preset_.job);
    for (const PresetOption& option : preset_.options) set(option, line);
  }

 private:
  // Makes the whole chain, with the options that were typed.
  void set_steps() {
    if (preset_.chain.empty()) return;
    std::vector<const Manifest*> plugins;
    for (const std::string& id : preset_.chain) plugins.push_back(&registry_.require(id));
    require_one_owner(plugins, request_.options);
    for (const Manifest* plugin : plugins) {
      request_.steps.push_back({plugin->id, options_for(*plugin, request_.options)});
    }
  }

  StepText& step_of(const std::string& plugin) {
    const auto step = std::find_if(request_.steps.begin(), request_.steps.end(),
                                   [&](const StepText& one) { return one.plugin == plugin; });
    return *step;  // parsing the manifest has seen to it
  }

  // The option of a step as it was typed; nullptr: it was not.
  const OptionText* typed_option(const std::string& plugin, const std::string& name) {
    const Manifest& owner = registry_.require(plugin);
    const OptionSpec* known = owner.option(name);
    if (known == nullptr) {
      throw Error(
          CKB_CORRUPT,
          fmt::format("{}: {}.{}: there is no such option", manifest_.path.string(), plugin, name),
          {.file = manifest_.path.string(), .hint = suggestion(name, owner.option_names())});
    }
    for (const OptionText& option : step_of(plugin).options) {
      if (option.name == known->name) return &option;
    }
    return nullptr;
  }

  std::optional<std::string> value_of(const Template& text) {
    return filled(text, [this](const std::string& place) -> std::optional<std::string> {
      const auto [plugin, name] = split_plugin(place);
      if (plugin.empty()) return typed_.value(name);
      const OptionText* option = typed_option(plugin, name);
      if (option == nullptr) return std::nullopt;
      return option->value.value_or("true");
    });
  }

  std::string text_of(const Template& text) { return value_of(text).value_or(""); }

  void set(const PresetOption& option, CommandLine& line) {
    const auto value = value_of(option.value);
    if (!value) return;
    if (!option.plugin.empty()) {
      if (typed_option(option.plugin, option.name) == nullptr) {
        step_of(option.plugin).options.push_back({hyphenated(option.name), *value});
      }
    } else if (!line.give(option.name, *value) && !option.value.first_place().empty()) {
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("--{} and --{} are the same", option.value.first_place(), option.name),
          {.hint = "give one"});
    }
  }

  const Registry& registry_;
  const Manifest& manifest_;
  const Preset& preset_;
  const TypedArguments& typed_;
  Request& request_;
};

}  // namespace

const Manifest* find_preset(const Registry& registry, std::string_view verb) {
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    if (hyphenated(manifest->preset->verb) == hyphenated(verb)) return manifest;
  }
  return nullptr;
}

int run_preset(const Registry& registry, const Manifest& manifest, const Arguments& arguments,
               bool dry_run) {
  const Preset& preset = *manifest.preset;
  Request request;
  CommonOptions common;
  TypedArguments typed(preset);
  CommandLine line(preset.verb + " " + preset.usage, preset.description);
  typed.declare(line);
  declare_common_options(line, common);
  declare_plugin_options(line, registry, request.options);
  if (!line.parse(arguments)) return 0;
  typed.require_choices();
  PresetUse(registry, manifest, typed, request).fill_request(line);
  request.folder = boost::filesystem::current_path();
  common.dry_run = common.dry_run || dry_run;
  return perform(registry, request, common);
}

}  // namespace ckptbridge::cli
