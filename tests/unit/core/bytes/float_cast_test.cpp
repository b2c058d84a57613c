#include "core/bytes/float_cast.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

constexpr Dtype kFloats[] = {kFloat64, kFloat32, kFloat16, kBFloat16};

std::vector<std::byte> to_bytes(Dtype dtype, const std::vector<std::uint64_t>& patterns) {
  const std::size_t size = item_size(dtype);
  std::vector<std::byte> bytes(patterns.size() * size);
  // Little-endian: the low bytes of a pattern are its first.
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    std::memcpy(&bytes[i * size], &patterns[i], size);
  }
  return bytes;
}

std::uint64_t converted(Dtype from, Dtype to, std::uint64_t pattern) {
  const std::vector<std::byte> source = to_bytes(from, {pattern});
  std::uint64_t result = 0;
  convert(from, to, source.data(), reinterpret_cast<std::byte*>(&result), 1);
  return result;
}

struct Case {
  const char* what;
  std::uint64_t from;
  std::uint64_t to;
};

void expect(Dtype from, Dtype to, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const std::uint64_t from_sign = std::uint64_t{1} << (from.bits - 1);
    const std::uint64_t to_sign = std::uint64_t{1} << (to.bits - 1);
    const std::string pair = dtype_name(from) + " to " + dtype_name(to) + ": " + one.what;
    EXPECT_EQ(converted(from, to, one.from), one.to) << pair;
    EXPECT_EQ(converted(from, to, one.from | from_sign), one.to | to_sign) << "minus, " << pair;
  }
}

TEST(Convert, RoundsFloat32ToBFloat16ToNearestEven) {
  expect(kFloat32, kBFloat16,
         {{"zero", 0x00000000, 0x0000},
          {"one", 0x3f800000, 0x3f80},
          {"below a tie", 0x3f807fff, 0x3f80},
          {"tie to even below", 0x3f808000, 0x3f80},
          {"above a tie", 0x3f808001, 0x3f81},
          {"tie to even above", 0x3f818000, 0x3f82},
          {"carry into the exponent", 0x3fffffff, 0x4000},
          {"largest that stays finite", 0x7f7f7fff, 0x7f7f},
          {"tie at the top becomes infinity", 0x7f7f8000, 0x7f80},
          {"largest finite", 0x7f7fffff, 0x7f80},
          {"infinity", 0x7f800000, 0x7f80},
          {"smallest subnormal vanishes", 0x00000001, 0x0000},
          {"half of the smallest subnormal: tie to zero", 0x00008000, 0x0000},
          {"just above", 0x00008001, 0x0001},
          {"one and a half smallest: tie to two", 0x00018000, 0x0002},
          {"largest subnormal becomes normal", 0x007fffff, 0x0080}});
}

TEST(Convert, RoundsFloat32ToFloat16WithSubnormalsAndOverflow) {
  expect(kFloat32, kFloat16,
         {{"zero", 0x00000000, 0x0000},
          {"one", 0x3f800000, 0x3c00},
          {"tie to even below", 0x3f801000, 0x3c00},
          {"above a tie", 0x3f801001, 0x3c01},
          {"tie to even above", 0x3f803000, 0x3c02},
          {"65504", 0x477fe000, 0x7bff},
          {"just below 65520", 0x477fefff, 0x7bff},
          {"65520 becomes infinity", 0x477ff000, 0x7c00},
          {"65536", 0x47800000, 0x7c00},
          {"98304", 0x47c00000, 0x7c00},
          {"131072", 0x48000000, 0x7c00},
          {"largest finite", 0x7f7fffff, 0x7c00},
          {"infinity", 0x7f800000, 0x7c00},
          {"least normal, 2^-14", 0x38800000, 0x0400},
          {"just below rounds up to normal", 0x387fffff, 0x0400},
          {"largest subnormal", 0x387fc000, 0x03ff},
          {"tie between subnormals, to even", 0x387fa000, 0x03fe},
          {"2^-24", 0x33800000, 0x0001},
          {"2^-25: tie to zero", 0x33000000, 0x0000},
          {"just above 2^-25", 0x33000001, 0x0001},
          {"1.5 * 2^-24: tie to two", 0x33c00000, 0x0002},
          {"float32's smallest subnormal", 0x00000001, 0x0000}});
}

TEST(Convert, RoundsFloat64ToFloat32) {
  expect(kFloat64, kFloat32,
         {{"one", 0x3ff0000000000000, 0x3f800000},
          {"tie to even below", 0x3ff0000010000000, 0x3f800000},
          {"above a tie", 0x3ff0000010000001, 0x3f800001},
          {"tie to even above", 0x3ff0000030000000, 0x3f800002},
          {"largest that stays finite", 0x47efffffefffffff, 0x7f7fffff},
          {"tie at the top becomes infinity", 0x47effffff0000000, 0x7f800000},
          {"largest finite", 0x7fefffffffffffff, 0x7f800000},
          {"infinity", 0x7ff0000000000000, 0x7f800000},
          {"2^129", 0x4800000000000000, 0x7f800000},
          {"2^-126", 0x3810000000000000, 0x00800000},
          {"just below rounds up to normal", 0x380fffffffffffff, 0x00800000},
          {"2^-149", 0x36a0000000000000, 0x00000001},
          {"2^-150: tie to zero", 0x3690000000000000, 0x00000000},
          {"just above 2^-150", 0x3690000000000001, 0x00000001},
          {"smallest subnormal", 0x0000000000000001, 0x00000000}});
}

TEST(Convert, RoundsFloat64ToSixteenBitsOnce) {
  // By way of float32 these would first become a tie, and then go to the even neighbour.
  expect(kFloat64, kBFloat16,
         {{"above a tie by 2^-52", 0x3ff0100000000001, 0x3f81},
          {"below a tie by 2^-52", 0x3ff02fffffffffff, 0x3f81},
          {"tie", 0x3ff0100000000000, 0x3f80},
          {"just above half of the smallest subnormal", 0x3790000000000001, 0x0001},
          {"half of the smallest subnormal", 0x3790000000000000, 0x0000},
          {"largest finite", 0x7fefffffffffffff, 0x7f80}});
  expect(kFloat64, kFloat16,
         {{"above a tie by 2^-52", 0x3ff0020000000001, 0x3c01},
          {"below a tie by 2^-52", 0x3ff005ffffffffff, 0x3c01},
          {"tie", 0x3ff0020000000000, 0x3c00},
          {"just above 2^-25", 0x3e60000000000001, 0x0001},
          {"2^-25", 0x3e60000000000000, 0x0000},
          {"just below 65520", 0x40effdffffffffff, 0x7bff},
          {"65520", 0x40effe0000000000, 0x7c00}});
}

TEST(Convert, WidensExactly) {
  expect(kFloat16, kFloat32,
         {{"zero", 0x0000, 0x00000000},
          {"2^-24", 0x0001, 0x33800000},
          {"largest subnormal", 0x03ff, 0x387fc000},
          {"2^-14", 0x0400, 0x38800000},
          {"65504", 0x7bff, 0x477fe000},
          {"infinity", 0x7c00, 0x7f800000}});
  expect(kBFloat16, kFloat32,
         {{"smallest subnormal", 0x0001, 0x00010000},
          {"one", 0x3f80, 0x3f800000},
          {"infinity", 0x7f80, 0x7f800000}});
  expect(kFloat32, kFloat64,
         {{"2^-149", 0x00000001, 0x36a0000000000000},
          {"largest subnormal", 0x007fffff, 0x380fffffc0000000},
          {"2^-126", 0x00800000, 0x3810000000000000},
          {"largest finite", 0x7f7fffff, 0x47efffffe0000000},
          {"infinity", 0x7f800000, 0x7ff0000000000000}});
  expect(kBFloat16, kFloat64, {{"smallest subnormal", 0x0001, 0x37a0000000000000}});
  expect(kFloat16, kFloat64, {{"2^-24", 0x0001, 0x3e70000000000000}});
}

TEST(Convert, GoesBetweenTheSixteenBitTypes) {
  expect(kFloat16, kBFloat16,
         {{"one", 0x3c00, 0x3f80},
          {"tie to even below", 0x3c04, 0x3f80},
          {"tie to even above", 0x3c0c, 0x3f82},
          {"subnormal", 0x0001, 0x3380},
          {"largest finite", 0x7bff, 0x4780},
          {"infinity", 0x7c00, 0x7f80}});
  expect(kBFloat16, kFloat16,
         {{"one", 0x3f80, 0x3c00},
          {"65280", 0x477f, 0x7bf8},
          {"65536 becomes infinity", 0x4780, 0x7c00},
          {"2^-24", 0x3380, 0x0001},
          {"2^-25: tie to zero", 0x3300, 0x0000},
          {"above 2^-25", 0x3301, 0x0001},
          {"infinity", 0x7f80, 0x7c00}});
}

TEST(Convert, GivesOneNanPatternPerType) {
  const auto nans = [](Dtype dtype) -> std::vector<std::uint64_t> {
    if (dtype == kFloat64) {
      return {0x7ff8000000000000, 0x7ff0000000000001, 0xfff8000000000000, 0xffffffffffffffff};
    }
    if (dtype == kFloat32) return {0x7fc00000, 0x7f800001, 0xff800001, 0xffffffff};
    if (dtype == kFloat16) return {0x7e00, 0x7c01, 0xfc01, 0xffff};
    return {0x7fc0, 0x7f81, 0xff81, 0xffff};
  };
  for (const Dtype from : kFloats) {
    for (const Dtype to : kFloats) {
      if (from == to) continue;
      for (const std::uint64_t nan : nans(from)) {
        EXPECT_EQ(converted(from, to, nan), nans(to)[0]) << dtype_name(from) << dtype_name(to);
      }
    }
  }
}

TEST(Convert, CopiesEqualTypesNansIncluded) {
  EXPECT_EQ(converted(kBFloat16, kBFloat16, 0xff81), 0xff81);
  EXPECT_EQ(converted(kFloat64, kFloat64, 0x7ff0000000000001), 0x7ff0000000000001);
}

TEST(Convert, WorksForAnyCountAtAnyAddress) {
  for (const std::size_t count : {0U, 1U, 511U, 512U, 513U, 1500U}) {
    std::vector<std::uint64_t> patterns(count);
    for (std::size_t i = 0; i < count; ++i) patterns[i] = i * 0x01234567U;
    const std::vector<std::byte> source = to_bytes(kFloat32, patterns);
    std::vector<std::byte> shifted(source.size() + 1);
    std::copy(source.begin(), source.end(), shifted.begin() + 1);
    std::vector<std::byte> target(count * 2 + 3, std::byte{0x5a});

    convert(kFloat32, kBFloat16, shifted.data() + 1, target.data() + 1, count);

    EXPECT_EQ(target.front(), std::byte{0x5a});
    EXPECT_EQ(target[1 + count * 2], std::byte{0x5a});
    for (std::size_t i = 0; i < count; ++i) {
      std::uint16_t found;
      std::memcpy(&found, &target[1 + i * 2], 2);
      ASSERT_EQ(found, converted(kFloat32, kBFloat16, patterns[i])) << i << " of " << count;
    }
  }
}

TEST(Convert, MayNarrowInPlace) {
  std::vector<std::uint64_t> patterns(2000);
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = i * 0x0123456789abcdefU;
  const std::vector<std::byte> source = to_bytes(kFloat64, patterns);
  std::vector<std::byte> apart(patterns.size() * 2);
  convert(kFloat64, kFloat16, source.data(), apart.data(), patterns.size());

  std::vector<std::byte> in_place = source;
  convert(kFloat64, kFloat16, in_place.data(), in_place.data(), patterns.size());

  in_place.resize(apart.size());
  EXPECT_EQ(in_place, apart);
}

TEST(Convert, RefusesOtherTypes) {
  EXPECT_TRUE(can_convert(kFloat64, kBFloat16));
  EXPECT_FALSE(can_convert(kInt32, kFloat32));
  EXPECT_FALSE(can_convert(kFloat32, kFloat8E5M2));
  try {
    convert(kFloat32, kInt8, nullptr, nullptr, 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
    EXPECT_THAT(error.what(), testing::HasSubstr("float32 to int8"));
  }
}

TEST(Convert, KnowsWhatIsLossless) {
  EXPECT_TRUE(is_lossless(kFloat32, kFloat64));
  EXPECT_TRUE(is_lossless(kFloat16, kFloat32));
  EXPECT_TRUE(is_lossless(kBFloat16, kFloat64));
  EXPECT_TRUE(is_lossless(kInt64, kInt64));
  EXPECT_FALSE(is_lossless(kFloat16, kBFloat16));
  EXPECT_FALSE(is_lossless(kBFloat16, kFloat16));
  EXPECT_FALSE(is_lossless(kFloat64, kFloat32));
  EXPECT_FALSE(is_lossless(kInt32, kFloat64));
}

}  // namespace
}  // namespace ckptbridge
