// Which bytes of files values touch, as strided runs: a proof that needs one storage at a time
// expands only its own.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/bytes/intervals.h"
#include "core/graph/lowering.h"

namespace ckptbridge {

// The source side of a run: size bytes, repeated by loops of which each steps over the one inside.
struct ByteRun {
  std::uint64_t begin;
  std::uint64_t size;
  using Loops = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // count, step
  Loops loops;

  // A loop that steps no farther than the bytes inside it is folded into them.
  static ByteRun of(const Run& run);

  // Adds each repetition to out. Throws UNSUPPORTED where out would hold more than kMaxIntervals.
  void expand(std::vector<Interval>& out) const;
};

// Returns the bytes of the file that the extent touches, as united intervals.
std::vector<Interval> touched_bytes(const Nodes& nodes, ckb_node extent);

}  // namespace ckptbridge
