// Where values that should hold the same bytes differ.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

// What was found must be what was kept: same shape, dtype and bytes.
struct ValuePair {
  ckb_node kept;
  ckb_node other;
};

struct ValueDifference {
  std::uint64_t count = 0;                                          // elements; 0: there is none
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();  // linear index
  std::string kept;                                                 // the first one's values
  std::string other;
};

// Compares pairs byte for byte, in pieces over the threads; shape and dtype of the two values of a
// pair must be equal. Returns what differs in each pair. kept and other are the values' arenas,
// which may be one. For the progress: the stage, and what to call a pair.
std::vector<ValueDifference> compare_values(const Arena& kept, const Arena& other,
                                            std::span<const ValuePair> pairs,
                                            const Buffers& buffers, const std::string& stage,
                                            const Feedback& feedback,
                                            const std::function<std::string(std::size_t)>& name_of);

// "[3, 17]": a row-major index among elements of this shape.
std::string index_text(std::uint64_t linear, std::span<const std::int64_t> shape);

// "12 of 4096 elements differ, first [17]: 1.25 against 1.2539": the other's value, then the kept
// one's. nodes: those of the kept value.
std::string difference_text(const ValueDifference& difference, const Nodes& nodes,
                            const ValuePair& pair);

}  // namespace ckptbridge
