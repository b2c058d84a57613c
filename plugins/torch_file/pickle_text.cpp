#include "plugins/torch_file/pickle_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::size_t kMaxDigits = 4300;

// The number in base 16 or 8 of exactly these digits.
std::optional<std::uint32_t> parse_digits(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return std::nullopt;
  }
  return value;
}

// The character that a backslash and c stand for; nullopt when more characters follow, or none.
std::optional<std::string_view> simple_escape(char c) {
  switch (c) {
    case '\n':
      return "";
    case '\\':
      return "\\";
    case '\'':
      return "'";
    case '"':
      return "\"";
    case 'a':
      return "\a";
    case 'b':
      return "\b";
    case 'f':
      return "\f";
    case 'n':
      return "\n";
    case 'r':
      return "\r";
    case 't':
      return "\t";
    case 'v':
      return "\v";
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Bytes> parse_decimal(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  Bytes result{std::byte{0}};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    unsigned carry = static_cast<unsigned>(c - '0');
    for (std::byte& byte : result) {
      carry += 10 * std::to_integer<unsigned>(byte);
      byte = static_cast<std::byte>(carry & 0xFF);
      carry >>= 8;
    }
    if (carry > 0) result.push_back(static_cast<std::byte>(carry));
  }
  result.push_back(std::byte{0});  // room for the sign
  if (is_negative) {
    unsigned carry = 1;
    for (std::byte& byte : result) {
      carry += std::to_integer<unsigned>(~byte);
      byte = static_cast<std::byte>(carry & 0xFF);
      carry >>= 8;
    }
  }
  return result;
}

std::optional<double> parse_float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> parse_repr(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() ||
      (text.front() != '\'' && text.front() != '"')) {
    return std::nullopt;
  }
  text = text.substr(1, text.size() - 2);
  std::string result;
  while (!text.empty()) {
    if (text[0] != '\\') {
      result += text[0];
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 2) return std::nullopt;
    if (const auto simple = simple_escape(text[1])) {
      result += *simple;
      text.remove_prefix(2);
    } else if (text[1] == 'x') {
      if (text.size() < 4) return std::nullopt;
      const auto value = parse_digits(text.substr(2, 2), 16);
      if (!value) return std::nullopt;
      result += static_cast<char>(*value);
      text.remove_prefix(4);
    } else if (text[1] >= '0' && text[1] <= '7') {
      const std::string_view digits = text.substr(1, 3);
      const std::size_t size = std::min(digits.find_first_not_of("01234567"), digits.size());
      result += static_cast<char>(parse_digits(digits.substr(0, size), 8).value_or(0) & 0xFF);
      text.remove_prefix(1 + size);
    } else {
      result += '\\';  // Python leaves an unknown escape as it is
      text.remove_prefix(1);
    }
  }
  return result;
}

std::optional<std::string> parse_raw_unicode_escape(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const bool is_escape =
        text.size() >= 2 && text[0] == '\\' && (text[1] == 'u' || text[1] == 'U');
    if (!is_escape) {
      append_utf8(result, static_cast<unsigned char>(text[0]));
      // Two backslashes are two characters, and neither begins an escape.
      if (text.starts_with("\\\\")) {
        append_utf8(result, '\\');
        text.remove_prefix(1);
      }
      text.remove_prefix(1);
      continue;
    }
    const std::size_t size = text[1] == 'u' ? 4 : 8;
    if (text.size() < 2 + size) return std::nullopt;
    const auto code_point = parse_digits(text.substr(2, size), 16);
    if (!code_point || *code_point > 0x10FFFF) return std::nullopt;
    append_utf8(result, *code_point);
    text.remove_prefix(2 + size);
  }
  return result;
}

}  // namespace ckptbridge::torch_file
