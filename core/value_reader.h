// Reads ranges of values: lowers them and gathers, scatters and casts the source bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/graph.h"
#include "core/lower.h"

namespace ckptbridge {

// One per thread: it owns a scratch buffer that is reused from range to range.
class ValueReader {
 public:
  // scratch_size: bytes, at least one element of the widest type. The arena must outlive this.
  ValueReader(const Arena& arena, std::size_t scratch_size)
      : arena_(arena), scratch_(scratch_size) {}

  // Fills target with the elements [begin, begin + count) of value, row-major; target has exactly
  // their size. Bands of a source are read in one go where what lies between the rows is small,
  // row by row otherwise. Error IO where a source cannot be read.
  void read(ckb_node value, std::uint64_t begin, std::uint64_t count, std::span<std::byte> target);

 private:
  struct Gather;

  const Arena& arena_;
  std::vector<std::byte> scratch_;
};

}  // namespace ckptbridge
