// The arguments that protocols 0 and 1 spell as text. Each function returns nullopt for what Python
// would not read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

// "-12345678901234567890" as two's complement, little-endian. At most 4300 digits, Python's bound.
std::optional<Bytes> parse_decimal(std::string_view text);
// "1.5", "inf", "nan".
std::optional<double> parse_float(std::string_view text);
// 'it\'s' with its quotes and escapes, as bytes.
std::optional<std::string> parse_repr(std::string_view text);
// Latin-1 with \uXXXX and \UXXXXXXXX, as UTF-8.
std::optional<std::string> parse_raw_unicode_escape(std::string_view text);

}  // namespace ckptbridge::torch_file
