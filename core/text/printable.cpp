#include "core/text/printable.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ckptbridge {

std::string printable(std::string_view text, bool lines) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_size(text.substr(i));
    const auto lead = static_cast<unsigned char>(text[i]);
    // C1 controls (U+0080 to U+009F) end in the bytes 80 to 9F behind C2.
    const bool is_control =
        size == 1 ? lead < 0x20 || lead == 0x7F
                  : size == 2 && lead == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    const std::string_view character = text.substr(i, std::max<std::size_t>(size, 1));
    if ((size > 0 && !is_control) || (lines && lead == '\n')) {
      result += character;
    } else {
      for (const char c : character) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    i += character.size();
  }
  return result;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::size_t utf8_size(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80             ? 1
                           : (byte(0) & 0xE0) == 0xC0 ? 2
                           : (byte(0) & 0xF0) == 0xE0 ? 3
                           : (byte(0) & 0xF8) == 0xF0 ? 4
                                                      : 0;
  if (size == 0 || size > text.size() || byte(0) == 0xC0 || byte(0) == 0xC1 || byte(0) > 0xF4) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string list_text(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace ckptbridge
