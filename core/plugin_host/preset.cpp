#include "core/plugin_host/preset.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text/json_object.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

bool is_small(char c) { return c >= 'a' && c <= 'z'; }

bool is_word(std::string_view text) {
  return !text.empty() && is_small(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_small(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool is_positional_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

bool is_option_name(std::string_view name) {
  if (name.starts_with("--")) return is_word(name.substr(2));
  return name.size() == 2 && name[0] == '-' && is_small(name[1]);
}

std::vector<std::string> argument_names(const Preset& preset) {
  std::vector<std::string> names;
  for (const PresetArgument& argument : preset.arguments) names.push_back(argument.name());
  return names;
}

// One place, without its braces, names an argument, or the option of a plugin in the chain.
Template::Piece parse_place(const JsonObject& object, const std::string& member,
                            const std::string& place, const Preset& preset) {
  const auto colon = place.find(':');
  Template::Piece piece{place.substr(0, colon), true, std::nullopt};
  if (colon != std::string::npos) piece.otherwise = place.substr(colon + 1);
  const auto plugin = split_plugin(piece.text).first;
  const bool is_known = plugin.empty() ? preset.argument(piece.text) != nullptr
                                       : std::find(preset.chain.begin(), preset.chain.end(),
                                                   plugin) != preset.chain.end();
  if (!is_known) {
    object.refuse(
        member, fmt::format("\"{}\" is neither an argument nor PLUGIN.OPTION of the chain", place),
        suggestion(piece.text, argument_names(preset)));
  }
  return piece;
}

Template parse_template(const JsonObject& object, const std::string& member,
                        const std::string& text, const Preset& preset) {
  Template result{text, {}};
  for (std::size_t at = 0; at < text.size();) {
    const auto open = std::min(text.find_first_of("{}", at), text.size());
    if (open > at) result.pieces.push_back({text.substr(at, open - at), false, std::nullopt});
    if (open == text.size()) break;
    const auto close = text.find_first_of("{}", open + 1);
    if (text[open] == '}' || close == std::string::npos || text[close] == '{') {
      object.refuse(member, fmt::format("\"{}\" has a brace without the other", text));
    }
    result.pieces.push_back(
        parse_place(object, member, text.substr(open + 1, close - open - 1), preset));
    at = close + 1;
  }
  return result;
}

Template template_or_none(JsonObject& object, const std::string& member, const Preset& preset) {
  return parse_template(object, member, object.string_or(member, ""), preset);
}

// One in which every place is filled, whatever is typed.
Template whole_template(JsonObject& object, const std::string& member, const Preset& preset) {
  auto result = parse_template(object, member, object.string(member), preset);
  if (result.text.empty()) object.refuse(member, "must not be empty");
  for (const auto& piece : result.pieces) {
    if (!piece.is_place || piece.otherwise) continue;
    const PresetArgument* argument = preset.argument(piece.text);
    if (argument != nullptr && (argument->required || !argument->fallback.empty())) continue;
    object.refuse(
        member, fmt::format("\"{}\" may stay empty; it must be required, or have a default, or be "
                            "written as NAME:OTHERWISE",
                            piece.text));
  }
  return result;
}

void parse_names(JsonObject& object, PresetArgument& argument, const Preset& preset) {
  argument.names = object.strings("names");
  if (argument.names.empty()) object.refuse("names", "at least one is needed");
  for (const std::string& name : argument.names) {
    const bool is_only = argument.names.size() == 1;
    if (!is_option_name(name) && !(is_only && is_positional_name(name))) {
      object.refuse("names",
                    fmt::format("\"{}\" is not like --tag or -t, nor alone and like IN", name));
    }
    const bool is_twice =
        std::count_if(argument.names.begin(), argument.names.end(),
                      [&](const auto& other) { return hyphenated(other) == hyphenated(name); }) > 1;
    const auto bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
    if (is_twice || preset.argument(bare) != nullptr) {
      object.refuse("names", fmt::format("\"{}\" is there twice", name));
    }
  }
}

PresetArgument parse_argument(JsonObject& object, const Preset& preset) {
  PresetArgument argument;
  parse_names(object, argument, preset);
  argument.value_name = object.string_or("value", "");
  argument.choices = object.strings("choices");
  argument.fallback = object.string_or("default", "");
  argument.required = object.boolean_or("required", false);
  argument.help = object.string("help");
  if (argument.help.empty()) object.refuse("help", "must not be empty");
  if (!argument.choices.empty()) {
    if (!argument.value_name.empty()) object.refuse("value", "stands in the place of choices");
    for (const std::string& choice : argument.choices) {
      argument.value_name += (argument.value_name.empty() ? "" : "|") + choice;
    }
    const bool is_choice = std::find(argument.choices.begin(), argument.choices.end(),
                                     argument.fallback) != argument.choices.end();
    if (!argument.fallback.empty() && !is_choice) {
      object.refuse("default", fmt::format("\"{}\" is none of {}", argument.fallback,
                                           list_text(argument.choices)));
    }
  }
  if (argument.is_positional()) {
    if (!argument.value_name.empty() || !argument.fallback.empty()) {
      object.refuse("names", "an argument without dashes takes no value, choices or default");
    }
    argument.required = true;
  }
  if (argument.is_flag() && (argument.required || !argument.fallback.empty())) {
    object.refuse("names", "a flag (no value, no choices) is never required, and has no default");
  }
  if (argument.required && !argument.fallback.empty()) {
    object.refuse("required", "an argument with a default is never missing");
  }
  return argument;
}

void parse_arguments(JsonObject& object, Preset& preset, std::vector<std::string>& unknown) {
  for (JsonObject& one : object.objects("arguments")) {
    preset.arguments.push_back(parse_argument(one, preset));
    for (const auto& name : one.unread()) {
      unknown.push_back(fmt::format("{}: unknown member \"{}\"", one.where(), name));
    }
  }
}

PresetOption parse_option(const JsonObject& object, const std::string& text, const Preset& preset) {
  const auto sign = text.find('=');
  const auto [plugin, name] = split_plugin(text.substr(0, sign));
  if (sign == std::string::npos || !is_word(name)) {
    object.refuse("sets", fmt::format("\"{}\" is not like PLUGIN.OPTION=VALUE", text));
  }
  if (!plugin.empty() &&
      std::find(preset.chain.begin(), preset.chain.end(), plugin) == preset.chain.end()) {
    object.refuse("sets", fmt::format("\"{}\" is not a plugin of the chain", plugin),
                  suggestion(plugin, preset.chain));
  }
  return {plugin, name, parse_template(object, "sets", text.substr(sign + 1), preset)};
}

}  // namespace

bool PresetArgument::is_positional() const { return !names.front().starts_with("-"); }

bool PresetArgument::is_flag() const { return !is_positional() && value_name.empty(); }

std::string PresetArgument::name() const {
  const std::string& last = names.back();
  return hyphenated(last.substr(std::min(last.find_first_not_of('-'), last.size())));
}

const PresetArgument* Preset::argument(std::string_view name) const {
  const std::string wanted = hyphenated(name);
  for (const PresetArgument& argument : arguments) {
    for (const std::string& known : argument.names) {
      if (hyphenated(known) == wanted || hyphenated(known) == "-" + wanted ||
          hyphenated(known) == "--" + wanted) {
        return &argument;
      }
    }
  }
  return nullptr;
}

std::string Template::first_place() const {
  for (const Piece& piece : pieces) {
    if (piece.is_place) return piece.text;
  }
  return "";
}

std::optional<std::string> filled(const Template& text, const Typed& typed) {
  std::string result;
  for (const Template::Piece& piece : text.pieces) {
    if (!piece.is_place) {
      result += piece.text;
      continue;
    }
    auto value = typed(piece.text);
    if (!value) value = piece.otherwise;
    if (!value) return std::nullopt;
    result += *value;
  }
  return result;
}

std::pair<std::string, std::string> split_plugin(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

Preset parse_preset(JsonObject& object, std::vector<std::string>& unknown) {
  Preset preset;
  preset.verb = object.string("verb");
  if (!is_word(preset.verb)) {
    object.refuse(
        "verb",
        fmt::format("\"{}\" must be small letters, digits, hyphens and underscores", preset.verb));
  }
  preset.usage = object.string("usage");
  preset.description = object.string("description");
  parse_arguments(object, preset, unknown);
  preset.chain = object.strings("chain");
  if (preset.chain.empty() == (object.find("to") == nullptr)) {
    object.refuse("chain", "must be there, or else to, and not both");
  }
  if (preset.chain.size() == 1) object.refuse("chain", "a reader and a writer are needed");
  if (preset.chain.empty()) preset.to = whole_template(object, "to", preset);
  preset.input = whole_template(object, "input", preset);
  preset.output = whole_template(object, "output", preset);
  preset.folder = template_or_none(object, "folder", preset);
  for (const std::string& text : object.strings("sets")) {
    preset.options.push_back(parse_option(object, text, preset));
  }
  preset.skip_complete = object.boolean_or("skip_complete", false);
  preset.job = template_or_none(object, "job", preset);
  return preset;
}

}  // namespace ckptbridge
