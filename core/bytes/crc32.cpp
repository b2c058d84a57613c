#include "core/bytes/crc32.h"

#include <zlib.h>

#include <isa-l/crc.h>

namespace ckptbridge {

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc_before) noexcept {
  return ::crc32_gzip_refl(crc_before, reinterpret_cast<const unsigned char*>(bytes.data()),
                           bytes.size());
}

std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second,
                            std::uint64_t second_size) noexcept {
  // zlib takes a signed size. Appending n zero bytes multiplies the CRC by x^8n modulo a primitive
  // polynomial of degree 32, which has period 2^32 - 1 in n.
  static_assert(sizeof(z_off_t) == 8);
  constexpr std::uint64_t kPeriod = 0xffffffff;
  return static_cast<std::uint32_t>(
      ::crc32_combine(first, second, static_cast<z_off_t>(second_size % kPeriod)));
}

}  // namespace ckptbridge
