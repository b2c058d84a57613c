#include "core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/words.h"

namespace ckptbridge {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

[[noreturn]] void refuse(const Manifest& manifest, const std::string& problem) {
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: {}", manifest.id, problem));
}

// What there is instead of a name that there is not.
std::string instead(const std::string& name, const std::vector<std::string>& known) {
  auto hint = did_you_mean(name, known);
  if (!hint.empty()) return hint;
  return known.empty() ? "; it takes none" : "; there are " + list_text(known);
}

// For a message, so whatever the bytes are.
std::string shown(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

std::optional<bool> parse_boolean(const std::string& text) {
  for (const char* word : {"true", "yes", "on", "1"}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "no", "off", "0"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

json typed_value(const Manifest& manifest, const OptionSpec& option, const OptionText& given,
                 const boost::filesystem::path& folder) {
  const auto bad = [&](const std::string& expected) {
    refuse(manifest,
           fmt::format("option {}: \"{}\" is not {}", option.name, *given.value, expected));
  };
  if (!given.value) {
    if (option.type == OptionType::kBoolean) return true;
    refuse(manifest, fmt::format("option {} needs a value: {}={}", option.name, option.name,
                                 option_type_name(option.type)));
  }
  const std::string& text = *given.value;
  switch (option.type) {
    case OptionType::kInteger:
      if (const auto number = parse_number<std::int64_t>(text)) return *number;
      bad("an integer");
      break;
    case OptionType::kNumber:
      if (const auto number = parse_number<double>(text); number && std::isfinite(*number)) {
        return *number;
      }
      bad("a number");
      break;
    case OptionType::kBoolean:
      if (const auto truth = parse_boolean(text)) return *truth;
      bad("true or false");
      break;
    case OptionType::kChoice:
      if (std::find(option.choices.begin(), option.choices.end(), text) == option.choices.end()) {
        bad(fmt::format("one of {}{}", list_text(option.choices),
                        did_you_mean(text, option.choices)));
      }
      return text;
    case OptionType::kPath:
      if (text.empty()) bad("a path");
      return boost::filesystem::absolute(text, folder).string();
    case OptionType::kString:
      break;
  }
  return text;
}

bool is_of_type(const json& value, const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kInteger:
      return value.is_number_integer();
    case OptionType::kNumber:
      return value.is_number();
    case OptionType::kBoolean:
      return value.is_boolean();
    case OptionType::kChoice:
      return value.is_string() && std::find(option.choices.begin(), option.choices.end(),
                                            value.get<std::string>()) != option.choices.end();
    case OptionType::kPath:
    case OptionType::kString:
      break;
  }
  return value.is_string();
}

// Whether the option as typed names this plugin, and which of its options.
const OptionSpec* declared(const Manifest& plugin, const std::string& typed) {
  const auto dot = typed.rfind('.');
  if (dot == std::string::npos) return plugin.option(typed);
  if (hyphenated(typed.substr(0, dot)) != hyphenated(plugin.id)) return nullptr;
  return plugin.option(typed.substr(dot + 1));
}

}  // namespace

OptionText split_option(const std::string& text) {
  const auto sign = text.find('=');
  if (sign == std::string::npos) return {text, std::nullopt};
  return {text.substr(0, sign), text.substr(sign + 1)};
}

std::string options_json(const Manifest& manifest, const std::vector<OptionText>& given,
                         const boost::filesystem::path& folder) {
  for (const auto& option : given) {
    if (manifest.option(option.name) == nullptr) {
      refuse(manifest, fmt::format("there is no option \"{}\"{}", option.name,
                                   instead(option.name, manifest.option_names())));
    }
  }
  ordered_json result = ordered_json::object();
  for (const auto& option : manifest.options) {
    std::vector<json> values;
    for (const auto& text : given) {
      if (manifest.option(text.name) != &option) continue;
      values.push_back(typed_value(manifest, option, text, folder));
    }
    if (values.size() > 1 && !option.repeated) {
      refuse(manifest, fmt::format("option {} is given {} times: {}, then {}", option.name,
                                   values.size(), shown(values[0]), shown(values[1])));
    }
    if (values.empty() && option.required) {
      refuse(manifest, fmt::format("option {} is missing ({})", option.name, option.help));
    }
    if (values.empty() && !option.default_json.empty()) {
      result[option.name] = ordered_json::parse(option.default_json);
    } else if (option.repeated) {
      result[option.name] = values;
    } else if (!values.empty()) {
      result[option.name] = values.front();
    }
  }
  try {
    return result.dump();
  } catch (const json::exception&) {
    refuse(manifest, "an option's value is not UTF-8 text");
  }
}

std::vector<OptionText> options_for(const Manifest& plugin, const std::vector<OptionText>& given) {
  std::vector<OptionText> result;
  for (const auto& typed : given) {
    const auto* option = declared(plugin, typed.name);
    if (option != nullptr) result.push_back({option->name, typed.value});
  }
  return result;
}

std::optional<std::string> option_value(const Manifest& plugin, const std::string& name,
                                        const std::vector<OptionText>& given) {
  for (const auto& option : options_for(plugin, given)) {
    if (option.name == name) return option.value.value_or("true");
  }
  const auto* option = plugin.option(name);
  if (option == nullptr || option->default_json.empty()) return std::nullopt;
  const json value = json::parse(option->default_json);
  return value.is_string() ? value.get<std::string>() : option->default_json;
}

void require_one_owner(const std::vector<const Manifest*>& plugins,
                       const std::vector<OptionText>& given) {
  for (const auto& typed : given) {
    std::vector<std::string> owners;
    std::vector<std::string> all;
    std::string ids;
    for (const auto* plugin : plugins) {
      ids += (ids.empty() ? "" : ", ") + plugin->id;
      const auto* option = declared(*plugin, typed.name);
      if (option != nullptr) owners.push_back(fmt::format("--{}.{}", plugin->id, option->name));
      for (auto& name : plugin->option_names()) all.push_back(std::move(name));
    }
    if (owners.size() > 1) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("option {} is taken by several plugins of the chain", typed.name),
                  {.hint = fmt::format("write one of {}", list_text(owners))});
    }
    if (owners.empty()) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("no plugin of the chain ({}) has an option \"{}\"{}", ids, typed.name,
                              instead(typed.name, all)));
    }
  }
}

std::string problem_of_default(const OptionSpec& option) {
  const json value = json::parse(option.default_json);
  const auto expected = fmt::format("{} of type {}", option.repeated ? "an array" : "a value",
                                    option_type_name(option.type));
  bool good = true;
  if (!option.repeated) {
    good = is_of_type(value, option);
  } else {
    good = value.is_array() && std::all_of(value.begin(), value.end(), [&](const json& item) {
             return is_of_type(item, option);
           });
  }
  return good ? "" : fmt::format("{} is not {}", option.default_json, expected);
}

}  // namespace ckptbridge
