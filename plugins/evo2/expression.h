// Shapes in the data files are expressions over the fields of a profile: "3 * hidden_size".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ckptbridge::evo2 {

// The value of a name; throws Error for names that it does not know.
using Lookup = std::function<std::int64_t(const std::string& name)>;

// Evaluates integers, names, + - * /, parentheses and round_up(value, multiple). Throws Error,
// opened by where, when the text is no expression, a division leaves a remainder, or the result
// is negative or over 2^62.
std::uint64_t evaluate(std::string_view text, const Lookup& lookup, const std::string& where);

}  // namespace ckptbridge::evo2
