#include "core/plugin_host/option_spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text/json.h"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

bool is_of_type(const Json& value, const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kInteger:
      return value.is_integer();
    case OptionType::kNumber:
      return value.is_number();
    case OptionType::kBoolean:
      return value.is_boolean();
    case OptionType::kChoice:
      return value.is_string() && std::find(option.choices.begin(), option.choices.end(),
                                            value.text()) != option.choices.end();
    case OptionType::kPath:
    case OptionType::kString:
      break;
  }
  return value.is_string();
}

}  // namespace

std::string_view option_type_name(OptionType type) {
  for (const auto& [name, value] : kOptionTypes) {
    if (value == type) return name;
  }
  return "";
}

std::string value_text(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kInteger:
      return "an integer";
    case OptionType::kNumber:
      return "a number";
    case OptionType::kBoolean:
      return "true or false";
    case OptionType::kChoice:
      return "one of " + list_text(option.choices);
    case OptionType::kPath:
      return "a path";
    case OptionType::kString:
      break;
  }
  return "a string";
}

std::string problem_of_default(const OptionSpec& option) {
  const Json value = Json::parse(option.default_json);
  const auto expected = fmt::format("{} of type {}", option.repeated ? "an array" : "a value",
                                    option_type_name(option.type));
  bool good = true;
  if (!option.repeated) {
    good = is_of_type(value, option);
  } else {
    good = value.is_array() && std::all_of(value.begin(), value.end(), [&](const Json& item) {
             return is_of_type(item, option);
           });
  }
  return good ? "" : fmt::format("{} is not {}", option.default_json, expected);
}

}  // namespace ckptbridge
