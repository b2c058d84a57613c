#include "core/bytes/intervals.h"

#include <algorithm>

namespace ckptbridge {

std::vector<Interval> united(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  std::vector<Interval> result;
  for (const Interval& next : intervals) {
    if (next.begin >= next.end) continue;
    if (!result.empty() && next.begin <= result.back().end) {
      result.back().end = std::max(result.back().end, next.end);
    } else {
      result.push_back(next);
    }
  }
  return result;
}

std::vector<Interval> complement(const std::vector<Interval>& intervals, std::uint64_t begin,
                                 std::uint64_t end) {
  std::vector<Interval> result;
  for (const Interval& next : intervals) {
    if (next.end <= begin) continue;
    if (next.begin >= end) break;
    if (next.begin > begin) result.push_back({begin, next.begin});
    begin = next.end;
  }
  if (begin < end) result.push_back({begin, end});
  return result;
}

std::uint64_t total(const std::vector<Interval>& intervals) {
  std::uint64_t bytes = 0;
  for (const Interval& next : intervals) bytes += next.end - next.begin;
  return bytes;
}

}  // namespace ckptbridge
