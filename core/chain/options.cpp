#include "core/chain/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

[[noreturn]] void refuse(const Manifest& manifest, const std::string& problem,
                         const std::string& hint = "") {
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: {}", manifest.id, problem), {.hint = hint});
}

std::string takes(const OptionSpec& option) {
  return fmt::format("{} takes {}", option.name, value_text(option));
}

// The hint for an option that there is not.
std::string instead(const std::string& name, const std::vector<std::string>& known) {
  auto hint = suggestion(name, known);
  if (!hint.empty()) return hint;
  return known.empty() ? "it takes none" : "there are " + list_text(known);
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

Json typed_value(const Manifest& manifest, const OptionSpec& option, const OptionText& given,
                 const boost::filesystem::path& folder) {
  if (!given.value) {
    if (option.type == OptionType::kBoolean) return true;
    refuse(manifest, fmt::format("option {} needs a value", option.name), takes(option));
  }
  const std::string& text = *given.value;
  std::string hint;
  switch (option.type) {
    case OptionType::kInteger:
      if (const auto number = parse_number<std::int64_t>(text)) return *number;
      break;
    case OptionType::kNumber:
      if (const auto number = parse_number<double>(text); number && std::isfinite(*number)) {
        return *number;
      }
      break;
    case OptionType::kBoolean:
      if (const auto truth = parse_boolean(text)) return *truth;
      break;
    case OptionType::kChoice:
      if (std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end()) {
        return text;
      }
      hint = suggestion(text, option.choices);
      break;
    case OptionType::kPath:
      if (!text.empty()) return boost::filesystem::absolute(text, folder).string();
      break;
    case OptionType::kString:
      return text;
  }
  refuse(manifest,
         fmt::format("option {}: \"{}\" is not {}", option.name, text, value_text(option)), hint);
}

// Whether the option as typed names this plugin, and which of its options.
const OptionSpec* declared(const Manifest& plugin, const std::string& typed) {
  const auto dot = typed.rfind('.');
  if (dot == std::string::npos) return plugin.option(typed);
  if (hyphenated(typed.substr(0, dot)) != hyphenated(plugin.id)) return nullptr;
  return plugin.option(typed.substr(dot + 1));
}

std::vector<const Manifest*> owners_of(const std::string& typed,
                                       const std::vector<const Manifest*>& plugins) {
  std::vector<const Manifest*> owners;
  for (const auto* plugin : plugins) {
    if (declared(*plugin, typed) != nullptr) owners.push_back(plugin);
  }
  return owners;
}

std::vector<std::string> ids_of(const std::vector<const Manifest*>& plugins) {
  std::vector<std::string> ids;
  ids.reserve(plugins.size());
  for (const auto* plugin : plugins) ids.push_back(plugin->id);
  return ids;
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
      refuse(manifest, fmt::format("there is no option \"{}\"", option.name),
             instead(option.name, manifest.option_names()));
    }
  }
  Json result = Json::object();
  for (const auto& option : manifest.options) {
    Json::Array values;
    for (const auto& text : given) {
      if (manifest.option(text.name) != &option) continue;
      values.push_back(typed_value(manifest, option, text, folder));
    }
    if (values.size() > 1 && !option.repeated) {
      refuse(manifest,
             fmt::format("option {} is given {} times: {}, then {}", option.name, values.size(),
                         values[0].dump(), values[1].dump()),
             "give one");
    }
    if (values.empty() && option.required) {
      refuse(manifest, fmt::format("option {} is missing ({})", option.name, option.help),
             takes(option));
    }
    if (values.empty() && !option.default_json.empty()) {
      result[option.name] = Json::parse(option.default_json);
    } else if (option.repeated) {
      result[option.name] = values;
    } else if (!values.empty()) {
      result[option.name] = values.front();
    }
  }
  for (const auto& option : given) {
    if (!is_utf8(option.value.value_or(""))) {
      refuse(manifest, "an option's value is not UTF-8 text");
    }
  }
  return result.dump();
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
  const Json value = Json::parse(option->default_json);
  return value.is_string() ? value.text() : option->default_json;
}

void require_one_owner(const std::vector<const Manifest*>& chain,
                       const std::vector<OptionText>& given,
                       const std::vector<const Manifest*>& unused) {
  for (const auto& typed : given) {
    const auto owners = owners_of(typed.name, chain);
    if (owners.size() == 1) continue;
    if (owners.size() > 1) {
      std::vector<std::string> spellings;
      spellings.reserve(owners.size());
      for (const auto* plugin : owners) {
        spellings.push_back(
            fmt::format("--{}.{}", plugin->id, declared(*plugin, typed.name)->name));
      }
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("option {} is taken by several plugins of the chain", typed.name),
                  {.hint = fmt::format("write one of {}", list_text(spellings))});
    }
    std::vector<std::string> names;
    for (const auto* plugin : chain) {
      for (auto& name : plugin->option_names()) names.push_back(std::move(name));
    }
    const auto elsewhere = ids_of(owners_of(typed.name, unused));
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("no plugin of the chain ({}) has an option \"{}\"",
                            list_text(ids_of(chain)), typed.name),
                {.hint = elsewhere.empty()
                             ? instead(typed.name, names)
                             : fmt::format("it belongs to {}, which this conversion does not need",
                                           list_text(elsewhere))});
  }
}

}  // namespace ckptbridge
