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

// Returns the intervals sorted, without the empty ones; those that touch or overlap are joined.
std::vector<Interval> united(std::vector<Interval> intervals);

// Returns what of [begin, end) is in none of the intervals, which are united.
std::vector<Interval> complement(const std::vector<Interval>& intervals, std::uint64_t begin,
                                 std::uint64_t end);

// Returns the number of bytes in united intervals.
std::uint64_t total(const std::vector<Interval>& intervals);

}  // namespace ckptbridge
