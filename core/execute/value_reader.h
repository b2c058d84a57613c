// Reads ranges of values: lowers them and gathers, scatters and casts the source bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/lowering.h"

namespace ckptbridge {

// The elements [begin, begin + count) of a value, row-major; target has exactly their size.
struct ValueRange {
  ckb_node value;
  std::uint64_t begin;
  std::uint64_t count;
  std::span<std::byte> target;
};

// One per thread: it owns a scratch buffer that is reused from range to range.
class ValueReader {
 public:
  // scratch_size: bytes, at least one element of the widest type. The arena must outlive this.
  ValueReader(const Arena& arena, std::size_t scratch_size);

  // Fills all targets. What the ranges need of one band of a source is read in one go where the
  // gaps are small, and row by row otherwise. Throws IO where a source cannot be read, and CORRUPT
  // where a source does not have the checksum that it says.
  void read(std::span<const ValueRange> ranges);
  void read(ckb_node value, std::uint64_t begin, std::uint64_t count, std::span<std::byte> target);

  // Tells the page cache what these elements will be read from.
  void will_need(ckb_node value, std::uint64_t begin, std::uint64_t count) const;

 private:
  // A run that waits for others of its band.
  struct Pending {
    Run run;
    std::byte* target;
    ckb_file file;
    std::uint64_t span;  // from its first source byte to its last
  };

  void read_source(ckb_file file, std::uint64_t offset, std::span<std::byte> bytes) const;
  void add(const Run& run, std::byte* target);
  void flush();
  void read_band(std::span<const Pending> band, std::uint64_t size);
  void read_alone(const Pending& pending);
  void read_rows(const Pending& pending, std::span<const Loop> loops, std::uint64_t source,
                 std::byte* target);
  void read_contiguous(const Pending& pending, std::uint64_t source, std::byte* target);

  const Arena& arena_;
  std::vector<std::byte> scratch_;
  std::vector<Pending> pending_;
};

}  // namespace ckptbridge
