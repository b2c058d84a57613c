// What a plugin says of an option that it takes.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ckptbridge {

enum class OptionType { kString, kInteger, kNumber, kBoolean, kPath, kChoice };

// As manifests write them.
inline constexpr std::array<std::pair<std::string_view, OptionType>, 6> kOptionTypes = {{
    {"string", OptionType::kString},
    {"integer", OptionType::kInteger},
    {"number", OptionType::kNumber},
    {"boolean", OptionType::kBoolean},
    {"path", OptionType::kPath},
    {"choice", OptionType::kChoice},
}};

std::string_view option_type_name(OptionType type);  // "integer"

// One option that a plugin takes.
struct OptionSpec {
  std::string name;  // kebab-case
  OptionType type = OptionType::kString;
  std::vector<std::string> choices;  // of kChoice
  std::string default_json;          // the value as JSON; "": there is none
  bool required = false;
  bool repeated = false;  // may be given several times; the plugin gets an array
  std::string help;
};

// "an integer", "one of a, b": what the option takes, in a sentence.
std::string value_text(const OptionSpec& option);

// What is wrong with option.default_json as a value of the option; "" when nothing is.
std::string problem_of_default(const OptionSpec& option);

}  // namespace ckptbridge
