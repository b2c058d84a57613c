#include "core/graph/lowering.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/core/graph/value_maker.h"

namespace ckptbridge {
namespace {

// Where each element of the range comes from, according to the runs; fails if one is written twice.
Elements spread(const Nodes& nodes, ckb_node node, std::uint64_t begin, std::uint64_t count,
                std::uint64_t item = 2) {
  constexpr std::uint64_t kUnset = ~std::uint64_t{0};
  Elements result(count, kUnset);
  lower(nodes, node, begin, count, [&](const Run& run) {
    std::vector<std::uint64_t> index(run.loops.size(), 0);
    const auto step = [&] {
      for (std::size_t i = index.size(); i-- > 0;) {
        if (++index[i] < run.loops[i].count) return true;
        index[i] = 0;
      }
      return false;
    };
    do {
      std::uint64_t source = run.source;
      std::uint64_t target = run.target;
      for (std::size_t i = 0; i < index.size(); ++i) {
        source += index[i] * run.loops[i].source_step;
        target += index[i] * run.loops[i].target_step;
      }
      for (std::uint64_t k = 0; k < run.length; ++k) {
        const std::uint64_t at = target / item + k;
        ASSERT_LT(at, count);
        EXPECT_EQ(result[at], kUnset) << "element " << at << " is made twice";
        result[at] = source + k * item_size(run.from());
      }
    } while (step());
  });
  return result;
}

std::size_t run_count(const Nodes& nodes, ckb_node node) {
  std::size_t count = 0;
  lower(nodes, node, 0, nodes.count(node), [&](const Run&) { ++count; });
  return count;
}

TEST(Lower, FindsEachElementOfAnyTreeForAnyRange) {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    Maker maker(seed);
    const Made made = maker.tree(static_cast<int>(maker.pick(0, 6)));
    const auto count = static_cast<std::int64_t>(made.elements.size());
    ASSERT_EQ(spread(maker.nodes(), made.node, 0, made.elements.size()), made.elements)
        << "seed " << seed;
    for (int i = 0; i < 3; ++i) {
      const std::int64_t begin = maker.pick(0, count);
      const std::int64_t end = maker.pick(begin, count);
      ASSERT_EQ(spread(maker.nodes(), made.node, static_cast<std::uint64_t>(begin),
                       static_cast<std::uint64_t>(end - begin)),
                Elements(made.elements.begin() + begin, made.elements.begin() + end))
          << "seed " << seed << ", elements " << begin << " to " << end;
    }
  }
}

// Rows of six, read as pairs whose second half is at times the first element of the next row.
TEST(Lower, FindsPairsThatRunOverTheEndsOfRows) {
  Nodes nodes;
  const std::int64_t matrix[] = {4, 8};
  const ckb_node rows = nodes.add_slice(nodes.add_extent(1, 0, kFloat16, matrix, {}), 1, 0, 6);
  for (const std::int64_t begin : {1, 2, 3}) {
    const std::int64_t flat[] = {24};
    const std::int64_t triples[] = {7, 3};
    const ckb_node tail = nodes.add_slice(nodes.add_reshape(rows, flat), 0, begin, begin + 21);
    const ckb_node pairs = nodes.add_slice(nodes.add_reshape(tail, triples), 1, 0, 2);
    Elements expected;
    for (std::uint64_t triple = 0; triple < 7; ++triple) {
      for (std::uint64_t half = 0; half < 2; ++half) {
        const std::uint64_t element = static_cast<std::uint64_t>(begin) + triple * 3 + half;
        expected.push_back((element / 6 * 8 + element % 6) * 2);
      }
    }
    EXPECT_EQ(spread(nodes, pairs, 0, 14), expected) << "from element " << begin;
  }
}

TEST(Lower, KeepsAJoinAlongDimensionOneAsOneRunForEachRank) {
  Nodes nodes;
  std::vector<ckb_node> shards;
  for (ckb_file rank = 1; rank <= 8; ++rank) {
    const std::int64_t shape[] = {4096, 1376};
    shards.push_back(nodes.add_extent(rank, 64, kBFloat16, shape, {}));
  }
  EXPECT_EQ(run_count(nodes, nodes.add_concat(shards, 1)), 8u);
}

TEST(Lower, KeepsATruncationOfColumnsAsOneRun) {
  Nodes nodes;
  const std::int64_t shape[] = {512, 1048576};
  const ckb_node filter = nodes.add_extent(1, 0, kFloat32, shape, {});
  EXPECT_EQ(run_count(nodes, nodes.add_slice(filter, 1, 0, 128)), 1u);
}

TEST(Lower, KeepsFlatFragmentsAsOneRunEach) {
  Nodes nodes;
  std::vector<ckb_node> fragments;
  for (ckb_file rank = 1; rank <= 4; ++rank) {
    const std::int64_t flat[] = {1021};
    fragments.push_back(nodes.add_extent(rank, 0, kFloat32, flat, {}));
  }
  const ckb_node whole = nodes.add_concat(fragments, 0);
  const std::int64_t shape[] = {7, 583};
  EXPECT_EQ(run_count(nodes, nodes.add_reshape(nodes.add_slice(whole, 0, 0, 4081), shape)), 4u);
}

TEST(Lower, NamesTheTypesThatAnElementPassesThrough) {
  Nodes nodes;
  const std::int64_t shape[] = {3};
  const ckb_node wide = nodes.add_extent(1, 0, kFloat64, shape, {});
  const ckb_node narrow = nodes.add_cast(nodes.add_cast(wide, kFloat32), kBFloat16);
  lower(nodes, narrow, 1, 2, [](const ckptbridge::Run& run) {
    ASSERT_EQ(run.dtype_count, 3);
    EXPECT_EQ(run.from(), kFloat64);
    EXPECT_EQ(run.dtypes[1], kFloat32);
    EXPECT_EQ(run.to(), kBFloat16);
    EXPECT_EQ(run.source, 8u);
    EXPECT_EQ(run.length, 2u);
  });
}

}  // namespace
}  // namespace ckptbridge
