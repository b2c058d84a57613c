#include "core/compare/expectations.h"

#include <fmt/format.h>

namespace ckptbridge {

std::vector<ValueDifference> compare_expectations(const Arena& arena, const Buffers& buffers,
                                                  const Feedback& feedback) {
  std::vector<ValuePair> pairs;
  pairs.reserve(arena.expectations.size());
  for (const Expectation& expectation : arena.expectations) {
    pairs.push_back({expectation.kept, expectation.other});
  }
  return compare_values(arena, arena, pairs, buffers, "check", feedback,
                        [&](std::size_t i) { return arena.expectations[i].what; });
}

std::vector<Difference> find_differences(const Arena& arena, const Buffers& buffers,
                                         const Feedback& feedback) {
  const auto found = compare_expectations(arena, buffers, feedback);
  std::vector<Difference> differences;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].count == 0) continue;
    differences.push_back({i, found[i].count, found[i].first,
                           fmt::format("{} against {}", found[i].other, found[i].kept)});
  }
  return differences;
}

}  // namespace ckptbridge
