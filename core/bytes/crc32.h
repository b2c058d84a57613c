// CRC-32 as zip files have it (zlib's polynomial), of ranges and of their concatenation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ckptbridge {

// The CRC-32 of bytes; of nothing, 0. With the CRC of what stands before them: of both together.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc_before = 0) noexcept;

// The CRC-32 of two ranges, one after the other, from theirs and the second's size in bytes. Exact
// for any size, and takes no longer for a larger one.
std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second,
                            std::uint64_t second_size) noexcept;

}  // namespace ckptbridge
