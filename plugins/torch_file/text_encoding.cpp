#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

std::optional<Bytes> from_latin1_text(std::string_view utf8) {
  Bytes result;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      result.push_back(static_cast<std::byte>(lead));
      continue;
    }
    // Two bytes, of which C2 and C3 begin the characters 0x80 to 0xFF.
    if ((lead != 0xC2 && lead != 0xC3) || i + 1 >= utf8.size()) return std::nullopt;
    const auto next = static_cast<unsigned char>(utf8[++i]);
    if (!is_continuation(next)) return std::nullopt;
    result.push_back(static_cast<std::byte>(((lead & 0x03u) << 6) | (next & 0x3Fu)));
  }
  return result;
}

std::string to_latin1_text(std::span<const std::byte> data) {
  std::string result;
  result.reserve(data.size());
  for (const std::byte byte : data) append_utf8(result, std::to_integer<std::uint32_t>(byte));
  return result;
}

bool is_utf8_with_surrogates(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < size) return false;
    for (std::size_t j = 1; j < size; ++j) {
      if (!is_continuation(static_cast<unsigned char>(text[i + j]))) return false;
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if (lead == 0xE0 && second < 0xA0) return false;  // would fit fewer bytes
    if (lead == 0xF0 && second < 0x90) return false;
    if (lead == 0xF4 && second > 0x8F) return false;  // beyond 0x10FFFF
    i += size;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace ckptbridge::torch_file
