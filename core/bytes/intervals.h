// Sets of bytes as sorted, disjoint intervals.
#pragma once

#include <cstdint>
#include <vector>

namespace ckptbridge {

struct Interval {
  std::uint64_t begin;
  std::uint64_t end;  // one past the last

  friend bool operator==(const Interval&, const Interval&) = default;
};

// Sorts, drops what is empty and joins what touches or overlaps.
std::vector<Interval> united(std::vector<Interval> intervals);

// What of [begin, end) is in none of the intervals, which are united.
std::vector<Interval> complement(const std::vector<Interval>& intervals, std::uint64_t begin,
                                 std::uint64_t end);

// The number of bytes in united intervals.
std::uint64_t total(const std::vector<Interval>& intervals);

}  // namespace ckptbridge
