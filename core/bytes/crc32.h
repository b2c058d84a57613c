// CRC-32 as zip files have it (zlib's polynomial), of ranges and of their concatenation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ckptbridge {

// Returns the CRC-32 of bytes (of no bytes: 0), or, with the CRC-32 of the bytes before, of both.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc_before = 0) noexcept;

// Returns the CRC-32 of two ranges, one after the other, from the CRC-32 of each and the second's
// size in bytes. The result is exact, and takes about 0.1 µs, for any size.
std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second,
                            std::uint64_t second_size) noexcept;

}  // namespace ckptbridge
