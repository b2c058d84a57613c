// Text for a terminal, a log or a shell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

bool is_utf8(std::string_view text);

// Bytes of the character of UTF-8 that text begins with; 0 if it begins with none.
std::size_t utf8_size(std::string_view text);

// Text of unknown origin for a terminal or a log: what is no printable UTF-8 (control characters,
// escape sequences, stray bytes) as \xNN. Line feeds stay where lines is true.
std::string printable(std::string_view text, bool lines = false);

// A word as a shell takes it: in quotes where it needs them.
std::string shell_quoted(const std::string& word);

// "a, b, c"
std::string list_text(const std::vector<std::string>& words);

}  // namespace ckptbridge
