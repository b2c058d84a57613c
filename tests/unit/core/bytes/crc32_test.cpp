#include "core/bytes/crc32.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ckptbridge {
namespace {

std::uint32_t crc_of(std::string_view text) {
  return crc32(std::as_bytes(std::span(text.data(), text.size())));
}

// A mebibyte and a bit, so that no size is a multiple of what vector code takes at once.
std::vector<std::byte> some_bytes() {
  std::vector<std::byte> bytes((1 << 20) + 13);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

TEST(Crc32, AgreesWithPublishedValues) {
  EXPECT_EQ(crc_of(""), 0U);
  EXPECT_EQ(crc_of("a"), 0xe8b7be43U);
  EXPECT_EQ(crc_of("123456789"), 0xcbf43926U);  // the check value of CRC-32/ISO-HDLC
  EXPECT_EQ(crc_of("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
}

TEST(Crc32, ContinuesFromWhatStandsBefore) {
  const std::vector<std::byte> bytes = some_bytes();
  const std::span<const std::byte> whole(bytes);
  EXPECT_EQ(crc32(whole.subspan(777), crc32(whole.first(777))), crc32(whole));
}

TEST(Crc32, OfPartsCombinedEqualsThatOfTheWhole) {
  const std::vector<std::byte> bytes = some_bytes();
  const std::span<const std::byte> whole(bytes);
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{65536}, bytes.size() - 1, bytes.size()}) {
    const std::uint32_t combined =
        crc32_combine(crc32(whole.first(cut)), crc32(whole.subspan(cut)), bytes.size() - cut);
    EXPECT_EQ(combined, crc32(whole)) << "cut at " << cut;
  }
}

TEST(Crc32, CombinesSizesOfMoreThan32Bits) {
  // Zeros by doubling: two ranges of 2^k zeros make one of 2^(k+1), up to 2^40 bytes.
  std::uint32_t zeros = crc32(std::vector<std::byte>(1));
  for (int exponent = 0; exponent < 40; ++exponent) {
    zeros = crc32_combine(zeros, zeros, std::uint64_t{1} << exponent);
  }
  const std::uint32_t text = crc_of("123456789");
  // In either grouping, text and twice 2^40 zeros are the same bytes.
  const std::uint64_t tera = std::uint64_t{1} << 40;
  EXPECT_EQ(crc32_combine(crc32_combine(text, zeros, tera), zeros, tera),
            crc32_combine(text, crc32_combine(zeros, zeros, tera), 2 * tera));
}

TEST(Crc32, TakesAnySizeThatSixtyFourBitsHold) {
  const std::uint32_t once = crc32_combine(0x12345678, 0, 0xffffffff);
  EXPECT_EQ(once, 0x12345678U);  // 2^32 - 1 is the period
  EXPECT_EQ(crc32_combine(0x12345678, 0, 0xffffffffffffffff), 0x12345678U);
}

TEST(Crc32, OfTwoGibibytesOfZerosIsZlibs) {
  // zlib.crc32(bytes(2**31)) by Python.
  std::uint32_t zeros = crc32(std::vector<std::byte>(1 << 20));
  for (int exponent = 20; exponent < 31; ++exponent) {
    zeros = crc32_combine(zeros, zeros, std::uint64_t{1} << exponent);
  }
  EXPECT_EQ(zeros, 0x4dbdf21cU);
}

}  // namespace
}  // namespace ckptbridge
