// A configuration value of a profile.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace ckptbridge::evo2 {

// null, boolean, integer, number, text. Element types are text: "bfloat16".
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// As in JSON, for messages.
std::string to_text(const Value& value);

}  // namespace ckptbridge::evo2
