#include "cli/verbs/setup.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/verbs/presets.h"
#include "core/plugin_host/search_path.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

constexpr const char* kPluginDir = "--plugin-dir";

std::vector<std::string> plugin_dirs_in(const Arguments& arguments) {
  std::vector<std::string> folders;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") break;
    const auto end = std::min(argument.find('='), argument.size());
    if (hyphenated(argument.substr(0, end)) != kPluginDir) continue;
    if (end < argument.size()) {
      folders.push_back(argument.substr(end + 1));
    } else if (i + 1 < arguments.size()) {
      folders.push_back(arguments[++i]);
    }
  }
  return folders;
}

// "SIZE" for the option "model-size"; what may be written, for a choice.
std::string value_name(const OptionSpec& option) {
  if (option.type == OptionType::kBoolean) return "";
  if (option.type == OptionType::kChoice) {
    std::string choices;
    for (const auto& choice : option.choices) choices += (choices.empty() ? "" : "|") + choice;
    return choices;
  }
  std::string name(option_type_name(option.type));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return name;
}

std::string help_text(const OptionSpec& option) {
  std::string text = option.help.empty() ? "(no description)" : option.help;
  if (option.required) text += " (required)";
  if (!option.default_json.empty() && option.type != OptionType::kBoolean) {
    text += fmt::format(" [{}]", option.default_json);
  }
  return text;
}

}  // namespace

Registry open_registry(const Arguments& arguments) {
  boost::system::error_code problem;
  const auto program = boost::filesystem::read_symlink("/proc/self/exe", problem);
  const auto environment = [](const char* name) { return std::getenv(name); };
  Registry registry(make_search_path(plugin_dirs_in(arguments), environment, program, geteuid()));
  std::vector<std::string> reserved{"help", "version"};
  for (const Verb& verb : verbs()) reserved.emplace_back(verb.name);
  refuse_presets(registry, reserved);
  return registry;
}

void declare_plugin_dir(CommandLine& line) {
  line.received_option(kPluginDir, "FOLDER", "Look for plugins here first; may be repeated",
                       [](const auto&) {});
}

void declare_plugin_options(CommandLine& line, const Registry& registry,
                            std::vector<OptionText>& given) {
  std::vector<const Manifest*> plugins;
  for (const Role role : {Role::kReader, Role::kTransform, Role::kWriter}) {
    for (const Manifest* plugin : registry.with_role(role)) {
      if (std::find(plugins.begin(), plugins.end(), plugin) == plugins.end()) {
        plugins.push_back(plugin);
      }
    }
  }
  // A name is a flag only where all that declare it say so.
  std::map<std::string, std::string> value_names;
  for (const Manifest* plugin : plugins) {
    for (const auto& option : plugin->options) {
      auto& known = value_names[option.name];
      if (known.empty()) known = value_name(option);
    }
  }
  const auto receive_as = [&given](const std::string& name, const OptionSpec& option) {
    return [&given, name, repeated = option.repeated](const auto& value) {
      const auto before = std::find_if(given.begin(), given.end(),
                                       [&](const OptionText& other) { return other.name == name; });
      if (!repeated && before != given.end()) {
        throw Error(CKB_INVALID_ARGUMENT,
                    fmt::format("--{} is given twice: {}, then {}", name,
                                before->value.value_or("true"), value.value_or("true")));
      }
      given.push_back({name, value});
    };
  };
  for (const Manifest* plugin : plugins) {
    line.heading("Options of " + plugin->id);
    for (const auto& option : plugin->options) {
      if (!line.has(option.name)) {
        line.received_option("--" + option.name, value_names[option.name], help_text(option),
                             receive_as(option.name, option));
      }
      const std::string full = plugin->id + "." + option.name;
      line.received_option("--" + full, value_name(option), "", receive_as(full, option));
    }
  }
}

}  // namespace ckptbridge::cli
