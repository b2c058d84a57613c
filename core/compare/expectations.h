// Expectations: values that must hold the same bytes, compared before the first byte is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/compare/compare_values.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// A pair that was expected to be equal and is not.
struct Difference {
  std::size_t expectation;  // its number in the arena
  std::uint64_t count;      // of elements that differ
  std::uint64_t first;      // index of the first of them, row-major
  std::string values;       // there: "1.25 against 1.2539", the kept one's last
};

// Compares all pairs that graphs of this arena expected to be equal, byte for byte. Gives what
// differs in each, in the order in which they were expected.
std::vector<ValueDifference> compare_expectations(const Arena& arena, const Buffers& buffers,
                                                  const Feedback& feedback);

// The same; gives only those that differ.
std::vector<Difference> find_differences(const Arena& arena, const Buffers& buffers,
                                         const Feedback& feedback);

}  // namespace ckptbridge
