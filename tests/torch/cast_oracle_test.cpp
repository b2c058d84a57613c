// Every cast of core/bytes/float_cast.h against libtorch's: all patterns of the 16-bit types, and
// for the wider ones every exponent with mantissas at the edges of rounding and with random ones.
//
// Known differences: NaN patterns (ours are canonical), and float64 to 16 bits, where libtorch
// rounds twice, by way of float32; there ours must be the nearer one.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "core/bytes/float_cast.h"

namespace ckptbridge {
namespace {

constexpr Dtype kFloats[] = {kFloat64, kFloat32, kFloat16, kBFloat16};

at::ScalarType torch_type(Dtype dtype) {
  if (dtype == kFloat64) return at::kDouble;
  if (dtype == kFloat32) return at::kFloat;
  return dtype == kFloat16 ? at::kHalf : at::kBFloat16;
}

int mantissa_bits(Dtype dtype) {
  if (dtype == kFloat64) return 52;
  if (dtype == kFloat32) return 23;
  return dtype == kFloat16 ? 10 : 7;
}

std::uint64_t infinity(Dtype dtype) {
  const int exponent_bits = dtype.bits - 1 - mantissa_bits(dtype);
  return ((std::uint64_t{1} << exponent_bits) - 1) << mantissa_bits(dtype);
}

bool is_nan(Dtype dtype, std::uint64_t pattern) {
  return (pattern & ~(std::uint64_t{1} << (dtype.bits - 1))) > infinity(dtype);
}

std::uint64_t canonical_nan(Dtype dtype) {
  return infinity(dtype) | (std::uint64_t{1} << (mantissa_bits(dtype) - 1));
}

std::uint64_t pattern_at(Dtype dtype, const void* data, std::size_t index) {
  const std::size_t size = item_size(dtype);
  std::uint64_t pattern = 0;
  std::memcpy(&pattern, static_cast<const char*>(data) + index * size, size);
  return pattern;
}

// The value, computed here rather than by either of the two under test.
double value_of(Dtype dtype, std::uint64_t pattern) {
  const int mantissa_size = mantissa_bits(dtype);
  const int bias = static_cast<int>(infinity(dtype) >> (mantissa_size + 1));
  const std::uint64_t magnitude = pattern & ~(std::uint64_t{1} << (dtype.bits - 1));
  const std::uint64_t fraction = magnitude & ((std::uint64_t{1} << mantissa_size) - 1);
  const int exponent = static_cast<int>(magnitude >> mantissa_size);
  double value = 0;
  if (magnitude == infinity(dtype)) {
    value = HUGE_VAL;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<double>(fraction), 1 - bias - mantissa_size);
  } else {
    const std::uint64_t whole = fraction | (std::uint64_t{1} << mantissa_size);
    value = std::ldexp(static_cast<double>(whole), exponent - bias - mantissa_size);
  }
  return pattern == magnitude ? value : -value;
}

class Oracle {
 public:
  explicit Oracle(Dtype from) : from_(from) { at::set_num_threads(1); }

  void add(std::uint64_t pattern) {
    const std::size_t size = item_size(from_);
    const std::size_t end = bytes_.size();
    bytes_.resize(end + size);
    std::memcpy(&bytes_[end], &pattern, size);
    ++count_;
    if (bytes_.size() >= (std::size_t{1} << 22)) check();
  }

  // Compares what is left, and returns how many casts libtorch, rounding twice, got wrong.
  std::uint64_t torch_was_farther() {
    check();
    return torch_was_farther_;
  }

 private:
  void check() {
    for (const Dtype to : kFloats) {
      if (!(to == from_)) check_to(to);
    }
    bytes_.clear();
    count_ = 0;
  }

  void check_to(Dtype to) {
    std::vector<std::byte> ours(count_ * item_size(to));
    convert(from_, to, bytes_.data(), ours.data(), count_);
    const at::Tensor source =
        at::from_blob(bytes_.data(), {static_cast<std::int64_t>(count_)}, torch_type(from_));
    const at::Tensor theirs = source.to(torch_type(to));
    for (std::size_t i = 0; i < count_; ++i) {
      compare(to, pattern_at(from_, bytes_.data(), i), pattern_at(to, ours.data(), i),
              pattern_at(to, theirs.data_ptr(), i));
      if (testing::Test::HasFatalFailure()) return;
    }
  }

  void compare(Dtype to, std::uint64_t source, std::uint64_t ours, std::uint64_t theirs) {
    if (ours == theirs && !is_nan(to, ours)) return;
    const auto what = [&] {
      return testing::Message() << dtype_name(from_) << " to " << dtype_name(to) << std::hex
                                << ": source " << source << ", ours " << ours << ", libtorch "
                                << theirs;
    };
    if (is_nan(from_, source)) {
      ASSERT_TRUE(is_nan(to, theirs)) << what();
      ASSERT_EQ(ours, canonical_nan(to)) << what();
      return;
    }
    ASSERT_FALSE(is_nan(to, ours)) << what();
    ASSERT_TRUE(from_ == kFloat64 && to.bits == 16) << what();
    // Neighbours of the source, so that the differences are exact.
    const double value = value_of(from_, source);
    ASSERT_LT(std::abs(value_of(to, ours) - value), std::abs(value_of(to, theirs) - value))
        << what();
    ++torch_was_farther_;
  }

  Dtype from_;
  std::vector<std::byte> bytes_;
  std::size_t count_ = 0;
  std::uint64_t torch_was_farther_ = 0;
};

// splitmix64: the same numbers everywhere.
class Random {
 public:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_ = 2024;
};

void add_all_sixteen_bit_patterns(Oracle& oracle) {
  for (std::uint64_t pattern = 0; pattern < 0x10000; ++pattern) oracle.add(pattern);
}

// For each sign and exponent: mantissas that differ from a few random high parts by one bit, give
// or take one, which holds the ties of every narrower type; and random mantissas.
void add_structured(Dtype dtype, int random_per_exponent, Oracle& oracle) {
  const int size = mantissa_bits(dtype);
  const std::uint64_t mask = (std::uint64_t{1} << size) - 1;
  Random random;
  for (std::uint64_t top = 0; top < (std::uint64_t{1} << (dtype.bits - size)); ++top) {
    const std::uint64_t high = top << size;
    for (int bit = 0; bit < size; ++bit) {
      const std::uint64_t one = std::uint64_t{1} << bit;
      const std::uint64_t above = (random.next() & mask) & ~(2 * one - 1);
      for (const std::uint64_t mantissa : {std::uint64_t{0}, mask & ~(2 * one - 1), above}) {
        for (const std::uint64_t tie : {mantissa | one, mantissa}) {
          for (const std::uint64_t near : {tie - 1, tie, tie + 1}) oracle.add(high | (near & mask));
        }
      }
    }
    for (int i = 0; i < random_per_exponent; ++i) oracle.add(high | (random.next() & mask));
  }
}

TEST(CastOracle, EveryFloat16) {
  Oracle oracle(kFloat16);
  add_all_sixteen_bit_patterns(oracle);
  EXPECT_EQ(oracle.torch_was_farther(), 0U);
}

TEST(CastOracle, EveryBFloat16) {
  Oracle oracle(kBFloat16);
  add_all_sixteen_bit_patterns(oracle);
  EXPECT_EQ(oracle.torch_was_farther(), 0U);
}

TEST(CastOracle, Float32OfEveryExponent) {
  Oracle oracle(kFloat32);
  add_structured(kFloat32, 8192, oracle);
  EXPECT_EQ(oracle.torch_was_farther(), 0U);
}

TEST(CastOracle, Float64OfEveryExponent) {
  Oracle oracle(kFloat64);
  add_structured(kFloat64, 256, oracle);
  // The numbers above that lie within half of float32's last place of a 16-bit tie.
  EXPECT_GT(oracle.torch_was_farther(), 1000U);
}

TEST(CastOracle, Float64InTheRangeOfTheNarrowerTypes) {
  Oracle oracle(kFloat64);
  Random random;
  for (int i = 0; i < 2'000'000; ++i) {
    const std::uint64_t bits = random.next();
    const std::uint64_t exponent = 1023 - 152 + (random.next() % 282);  // 2^-152 to 2^129
    oracle.add((bits & 0x800fffffffffffff) | (exponent << 52));
  }
  EXPECT_GT(oracle.torch_was_farther(), 0U);
}

}  // namespace
}  // namespace ckptbridge
