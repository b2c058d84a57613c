// Expectations: values that must hold the same bytes, compared before the first byte is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/compare/compare_values.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

// A pair that was expected to be equal and is not.
struct UnequalPair {
  std::size_t expectation;  // its number in the arena
  ValueDifference difference;
};

// Compares, byte for byte, the pairs that graphs of this arena expected to be equal, and returns
// those that are not, in the order in which they were expected. With suspects, only the pairs of
// these numbers are compared: all others are known to be equal.
std::vector<UnequalPair> find_unequal(
    const Arena& arena, const Buffers& buffers, const Feedback& feedback,
    const std::optional<std::vector<std::uint64_t>>& suspects = {});

// Returns the numbers of the pairs' expectations.
std::vector<std::uint64_t> numbers_of(const std::vector<UnequalPair>& pairs);

}  // namespace ckptbridge
