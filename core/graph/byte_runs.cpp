#include "core/graph/byte_runs.h"

#include <algorithm>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Intervals of one storage at most: beyond it, a view is too scattered to prove anything about.
constexpr std::uint64_t kMaxIntervals = 1u << 26;

void expand_loops(const ByteRun& run, std::size_t depth, std::uint64_t at,
                  std::vector<Interval>& out) {
  if (depth == 0) {
    out.push_back({at, at + run.size});
    return;
  }
  for (std::uint64_t i = 0; i < run.loops[depth - 1].first; ++i) {
    expand_loops(run, depth - 1, at + i * run.loops[depth - 1].second, out);
  }
}

}  // namespace

ByteRun ByteRun::of(const Run& run) {
  ByteRun bytes{run.source, run.length * item_size(run.from()), {}};
  auto loops = run.loops;
  std::sort(loops.begin(), loops.end(),
            [](const Loop& a, const Loop& b) { return a.source_step < b.source_step; });
  for (const Loop& loop : loops) {
    if (bytes.loops.empty() && loop.source_step <= bytes.size) {
      bytes.size += (loop.count - 1) * loop.source_step;
    } else {
      bytes.loops.emplace_back(loop.count, loop.source_step);
    }
  }
  return bytes;
}

void ByteRun::expand(std::vector<Interval>& out) const {
  std::uint64_t count = 1;
  for (const auto& loop : loops) {
    if (__builtin_mul_overflow(count, loop.first, &count)) count = kMaxIntervals;
  }
  if (count > kMaxIntervals - std::min<std::uint64_t>(out.size(), kMaxIntervals)) {
    throw Error(CKB_UNSUPPORTED,
                "a view touches more than 67 million separate pieces of its storage");
  }
  expand_loops(*this, loops.size(), begin, out);
}

std::vector<Interval> touched_bytes(const Nodes& nodes, ckb_node extent) {
  std::vector<Interval> intervals;
  lower(nodes, extent, 0, nodes.count(extent),
        [&](const Run& run) { ByteRun::of(run).expand(intervals); });
  return united(std::move(intervals));
}

}  // namespace ckptbridge
