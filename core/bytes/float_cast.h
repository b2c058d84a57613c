// Float casts: float64, float32, float16 and bfloat16 among each other.
//
// Rounding is to nearest, ties to even, once: float64 goes to 16 bits directly, where PyTorch goes
// by way of float32 and rounds twice. Too large values become infinity; subnormals are kept and
// made. Every NaN becomes one pattern of the target type, the positive quiet NaN without payload
// (7ff8000000000000, 7fc00000, 7e00, 7fc0), because what processors and libraries make of payloads
// differs. The same input becomes the same bytes on every machine: no F16C, no fused multiply-add,
// no flush to zero.
#pragma once

#include <cstddef>

#include "ckptbridge/dtype.hpp"

namespace ckptbridge {

// Returns true where both are one of the four types; equal types count.
bool can_convert(Dtype from, Dtype to) noexcept;

// Returns true where a cast to `to` and back changes no value (a NaN stays a NaN): where `to` is
// wider, and for equal types of any kind.
bool is_lossless(Dtype from, Dtype to) noexcept;

// Converts count elements; neither pointer need be aligned. Equal types are copied bit for bit,
// NaNs too. The target may begin where the source begins if its elements are no larger; else the
// two must not overlap. Throws INVALID_ARGUMENT unless can_convert(from, to).
void convert(Dtype from, Dtype to, const std::byte* source, std::byte* target, std::size_t count);

}  // namespace ckptbridge
