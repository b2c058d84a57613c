// From a range of a value's elements to the strided runs of source bytes that make it.
//
// Any tree of slices, concats, reshapes and permutes over extents is, for a range of its elements,
// a few nested loops over source and target. Lowering works top down: a range of linear indices is
// passed through each operation to the leaves, and split only where the operation breaks it. A
// reshape keeps linear indices and so costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include <boost/container/small_vector.hpp>

#include "core/graph/nodes.h"

namespace ckptbridge {

// count iterations; each advances source and target by these numbers of bytes.
struct Loop {
  std::uint64_t count;
  std::uint64_t source_step;
  std::uint64_t target_step;
};

// Elements of one leaf, and where they go: `length` elements that lie side by side in source and
// target, repeated by each of loops, outermost (largest target step) first.
struct Run {
  ckb_node leaf;         // an extent or a constant
  std::uint64_t source;  // bytes from the beginning of the extent's file, or of the constant
  std::uint64_t target;  // bytes from the beginning of the range
  std::uint64_t length;  // elements
  boost::container::small_vector<Loop, 4> loops;
  // The types that an element passes through, from the leaf's to the value's: 1 + casts of them.
  std::array<Dtype, 5> dtypes;
  std::uint8_t dtype_count;

  Dtype from() const { return dtypes[0]; }
  Dtype to() const { return dtypes[dtype_count - 1]; }
};

// Calls emit with the runs of the elements [begin, begin + count) of node, in no particular order;
// together the runs fill the range exactly once. The range must lie inside the value.
void lower(const Nodes& nodes, ckb_node node, std::uint64_t begin, std::uint64_t count,
           const std::function<void(const Run&)>& emit);

// Returns the runs of all elements of a value, in the order of their targets, for a person to read.
// The copy machine calls lower() for one range at a time.
std::vector<Run> runs_of(const Nodes& nodes, ckb_node node);

}  // namespace ckptbridge
