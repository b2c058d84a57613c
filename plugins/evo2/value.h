// A configuration value of a profile.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/text/json.h"

namespace ckptbridge::evo2 {

// null, boolean, integer, number, text. Element types are text: "bfloat16".
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

Json to_json(const Value& value);
// null for an array and an object. Throws CORRUPT for an integer above 2^63 - 1.
Value to_value(const Json& json);

// As in JSON, for messages.
std::string to_text(const Value& value);

}  // namespace ckptbridge::evo2
