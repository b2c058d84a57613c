// CRC-32 as in zip (reflected polynomial 0xEDB88320), for the few small records that are made or
// checked here. Payloads are summed by the host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ckptbridge::torch_file {

namespace detail {

inline constexpr auto kCrc32Table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xEDB88320u : 0u);
    table[byte] = value;
  }
  return table;
}();

}  // namespace detail

inline std::uint32_t crc32(std::span<const std::byte> data) {
  std::uint32_t sum = 0xFFFFFFFFu;
  for (const std::byte byte : data) {
    sum = (sum >> 8) ^ detail::kCrc32Table[(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  }
  return ~sum;
}

}  // namespace ckptbridge::torch_file
