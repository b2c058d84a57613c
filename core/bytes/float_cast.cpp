#include "core/bytes/float_cast.h"

#include <bit>
#include <cfloat>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Sums below must be rounded to their own type, as SSE2 and every 64-bit processor do.
static_assert(FLT_EVAL_METHOD == 0);

// A binary format of IEEE 754: 1 sign bit, Exponent bits, Mantissa bits, in Bits and, signed for
// comparisons that SSE2 has, SignedBits.
template <class Unsigned, class Signed, int Exponent, int Mantissa>
struct Format {
  using Bits = Unsigned;
  using SignedBits = Signed;
  static constexpr int kMantissa = Mantissa;
  static constexpr int kBias = (1 << (Exponent - 1)) - 1;
  static constexpr int kSize = 1 + Exponent + Mantissa;
  static constexpr Bits kSign = static_cast<Bits>(Bits{1} << (kSize - 1));
  static constexpr Bits kInfinity = static_cast<Bits>(((Bits{1} << Exponent) - 1) << Mantissa);
  static constexpr Bits kNan = static_cast<Bits>(kInfinity | (Bits{1} << (Mantissa - 1)));
};
using F64 = Format<std::uint64_t, std::int64_t, 11, 52>;
using F32 = Format<std::uint32_t, std::int32_t, 8, 23>;
using F16 = Format<std::uint16_t, std::int16_t, 5, 10>;
using BF16 = Format<std::uint16_t, std::int16_t, 8, 7>;

template <class Format>
struct Arithmetic;
template <>
struct Arithmetic<F64> {
  using Type = double;
};
template <>
struct Arithmetic<F32> {
  using Type = float;
};

// The bits of 2^exponent.
template <class Format>
constexpr typename Format::Bits power_of_two(int exponent) {
  return static_cast<typename Format::Bits>(exponent + Format::kBias) << Format::kMantissa;
}

// All functions below compute every case and select, so that the loops become vector code.

// From the bits of a positive number or NaN to those in a wider format.
template <class From, class To>
typename To::Bits widened_magnitude(typename To::Bits magnitude) {
  using Bits = typename To::Bits;
  using Signed = typename To::SignedBits;
  using Float = typename Arithmetic<To>::Type;
  constexpr int kShift = To::kMantissa - From::kMantissa;
  const Bits shifted = magnitude << kShift;
  Bits result = shifted;
  if constexpr (From::kBias != To::kBias) {
    constexpr Bits kRebias = Bits{To::kBias - From::kBias} << To::kMantissa;
    // A subnormal is mantissa × the smallest subnormal. Below the leading bit of the power of two
    // whose last place is worth just that, the mantissa adds exactly this; taking the power away
    // leaves an exact, normal number.
    constexpr Bits kPower = power_of_two<To>(1 - From::kBias - From::kMantissa + To::kMantissa);
    const Bits subnormal = std::bit_cast<Bits>(std::bit_cast<Float>(kPower | magnitude) -
                                               std::bit_cast<Float>(kPower));
    const Bits normal = shifted + kRebias;
    constexpr auto kLeastNormal = static_cast<Signed>(Bits{1} << From::kMantissa);
    result = static_cast<Signed>(magnitude) < kLeastNormal ? subnormal : normal;
    result = static_cast<Signed>(magnitude) == static_cast<Signed>(From::kInfinity) ? To::kInfinity
                                                                                    : result;
  }
  return static_cast<Signed>(magnitude) > static_cast<Signed>(From::kInfinity) ? To::kNan : result;
}

template <class From, class To>
typename To::Bits widened(typename From::Bits bits) {
  using Bits = typename To::Bits;
  const Bits wide = bits;
  const Bits sign = (wide & From::kSign) << (To::kSize - From::kSize);
  const Bits magnitude = wide & static_cast<Bits>(From::kSign - 1);
  const Bits result = widened_magnitude<From, To>(magnitude);
  return result == To::kNan ? result : result | sign;
}

template <class From, class To>
typename To::Bits narrowed(typename From::Bits bits) {
  using Bits = typename From::Bits;
  using Signed = typename From::SignedBits;
  using Float = typename Arithmetic<From>::Type;
  constexpr int kShift = From::kMantissa - To::kMantissa;
  const Bits magnitude = bits & (From::kSign - 1);
  const Bits sign = (bits & From::kSign) >> (From::kSize - To::kSize);
  Bits result;
  if constexpr (From::kBias == To::kBias) {
    // Adds a half of the last place, less one unless what is kept is odd; a carry runs into the
    // exponent, up to infinity.
    result = (magnitude + ((Bits{1} << (kShift - 1)) - 1) + ((magnitude >> kShift) & 1)) >> kShift;
  } else {
    constexpr Bits kRebias = Bits{From::kBias - To::kBias} << From::kMantissa;
    constexpr Bits kLeastNormal = power_of_two<From>(1 - To::kBias);
    constexpr Bits kTooLarge = power_of_two<From>(To::kBias + 1);
    const Bits rounded =
        magnitude - kRebias + ((Bits{1} << (kShift - 1)) - 1) + ((magnitude >> kShift) & 1);
    // Added to the power of two whose last place is the smallest subnormal, a small number is
    // rounded to a multiple of that by the addition itself.
    constexpr Bits kPower = power_of_two<From>(1 - To::kBias - To::kMantissa + From::kMantissa);
    const Bits subnormal =
        std::bit_cast<Bits>(std::bit_cast<Float>(magnitude) + std::bit_cast<Float>(kPower)) -
        kPower;
    result = static_cast<Signed>(magnitude) < static_cast<Signed>(kLeastNormal) ? subnormal
                                                                                : rounded >> kShift;
    result =
        static_cast<Signed>(magnitude) >= static_cast<Signed>(kTooLarge) ? To::kInfinity : result;
  }
  result |= sign;
  return static_cast<typename To::Bits>(
      static_cast<Signed>(magnitude) > static_cast<Signed>(From::kInfinity) ? Bits{To::kNan}
                                                                            : result);
}

// One step, or two of which the first is exact.
template <class From, class To>
typename To::Bits converted(typename From::Bits bits) {
  if constexpr (From::kSize < To::kSize) {
    return widened<From, To>(bits);
  } else if constexpr (From::kSize > To::kSize) {
    return narrowed<From, To>(bits);
  } else {
    return narrowed<F32, To>(widened<From, F32>(bits));
  }
}

template <class From, class To>
void convert_all(const std::byte* source, std::byte* target, std::size_t count) {
  // Blocks of a constant number of elements in aligned arrays: what a compiler vectorises even
  // without -O3.
  constexpr std::size_t kBlock = 512;
  typename From::Bits in[kBlock];
  typename To::Bits out[kBlock];
  for (; count >= kBlock; count -= kBlock) {
    std::memcpy(in, source, sizeof(in));
    for (std::size_t i = 0; i < kBlock; ++i) out[i] = converted<From, To>(in[i]);
    std::memcpy(target, out, sizeof(out));
    source += sizeof(in);
    target += sizeof(out);
  }
  if (count == 0) return;  // memcpy takes no null pointer
  std::memcpy(in, source, count * sizeof(in[0]));
  for (std::size_t i = 0; i < count; ++i) out[i] = converted<From, To>(in[i]);
  std::memcpy(target, out, count * sizeof(out[0]));
}

template <class Type>
void copy_all(const std::byte* source, std::byte* target, std::size_t count) {
  if (count > 0) std::memmove(target, source, count * sizeof(typename Type::Bits));
}

using Conversion = void (*)(const std::byte*, std::byte*, std::size_t);

template <class From, class To>
constexpr Conversion conversion() noexcept {
  if constexpr (std::is_same_v<From, To>) {
    return copy_all<From>;
  } else {
    return convert_all<From, To>;
  }
}

template <class From>
Conversion conversion_from(Dtype to) noexcept {
  if (to == kFloat64) return conversion<From, F64>();
  if (to == kFloat32) return conversion<From, F32>();
  if (to == kFloat16) return conversion<From, F16>();
  if (to == kBFloat16) return conversion<From, BF16>();
  return nullptr;
}

// Null unless both are among the four types.
Conversion find_conversion(Dtype from, Dtype to) noexcept {
  if (from == kFloat64) return conversion_from<F64>(to);
  if (from == kFloat32) return conversion_from<F32>(to);
  if (from == kFloat16) return conversion_from<F16>(to);
  if (from == kBFloat16) return conversion_from<BF16>(to);
  return nullptr;
}

}  // namespace

bool can_convert(Dtype from, Dtype to) noexcept { return find_conversion(from, to) != nullptr; }

bool is_lossless(Dtype from, Dtype to) noexcept {
  return from == to || (can_convert(from, to) && item_size(from) < item_size(to));
}

void convert(Dtype from, Dtype to, const std::byte* source, std::byte* target, std::size_t count) {
  const Conversion conversion = find_conversion(from, to);
  if (conversion == nullptr) {
    throw Error(CKB_INVALID_ARGUMENT,
                "cannot convert " + dtype_name(from) + " to " + dtype_name(to) +
                    ": casts exist among float64, float32, float16 and bfloat16");
  }
  conversion(source, target, count);
}

}  // namespace ckptbridge
