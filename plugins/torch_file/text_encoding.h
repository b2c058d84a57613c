// Protocol 2 has no bytes: Python writes them as text of the characters 0 to 255 ("latin1").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

// Returns nullopt when the text, which is UTF-8, has other characters.
std::optional<Bytes> from_latin1_text(std::string_view utf8);
std::string to_latin1_text(std::span<const std::byte> data);

// UTF-8 as Python reads it with "surrogatepass": surrogates may stand alone.
bool is_utf8_with_surrogates(std::string_view text);
// Appends the UTF-8 form of a code point up to 0x10FFFF, surrogates included.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace ckptbridge::torch_file
