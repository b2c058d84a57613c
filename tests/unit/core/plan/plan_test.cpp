#include "core/plan/plan.h"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {

inline bool operator==(const OutputRange& a, const OutputRange& b) {
  return a.begin == b.begin && a.size == b.size && a.file == b.file && a.segment == b.segment;
}
inline void PrintTo(const OutputRange& range, std::ostream* out) {
  *out << "file " << range.file << ", segment " << range.segment << ", " << range.size << " at "
       << range.begin;
}

namespace {

using testing::ElementsAre;

constexpr std::uint64_t kKibi = 1024;

// Eight sources of 4 MiB, joined along rows into one file.
class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    std::vector<ckb_node> shards;
    for (ckb_file rank = 1; rank <= 8; ++rank) {
      const std::int64_t shape[] = {1024, 2048};
      shards.push_back(nodes_.add_extent(rank, 0, kFloat16, shape, {}));
    }
    const ckb_node whole = nodes_.add_concat(shards, 0);
    layout_.put_value(layout_.add_file("whole", nodes_.size(whole)), 0, whole, nodes_);
    layout_.finish();
  }

  Nodes nodes_;
  Layout layout_;
};

TEST_F(PlanTest, HasTasksOfAMebibyte) {
  const Plan plan = make_plan(nodes_, layout_, {});
  EXPECT_EQ(plan.task_count(), 32u);
  EXPECT_EQ(plan.buffers.task_size, 1u << 20);
}

TEST_F(PlanTest, IsTheSameForAnyNumberOfThreads) {
  const Plan one = make_plan(nodes_, layout_, {1, 128u << 20});
  for (unsigned threads = 2; threads <= 16; ++threads) {
    const Plan many = make_plan(nodes_, layout_, {threads, 128u << 20});
    EXPECT_EQ(many.buffers.threads, threads);
    EXPECT_EQ(one.first, many.first) << threads << " threads";
    EXPECT_EQ(one.ranges, many.ranges) << threads << " threads";
  }
}

TEST_F(PlanTest, MakesEachByteOfTheFileOnceInTheOrderOfTheSources) {
  const Plan plan = make_plan(nodes_, layout_, {});
  std::uint64_t end = 0;
  for (const OutputRange& range : plan.ranges) {
    EXPECT_EQ(range, (OutputRange{end, 1u << 20, 0, 0}));
    end += range.size;
  }
  EXPECT_EQ(end, layout_.total_size());
}

TEST_F(PlanTest, TakesAsManyThreadsAsTheBoundHolds) {
  EXPECT_EQ(make_plan(nodes_, layout_, {16, 20u << 20}).buffers.threads, 3u);
}

TEST_F(PlanTest, TakesSmallerTasksWhereTheBoundHoldsNoneOfFullSize) {
  const Plan plan = make_plan(nodes_, layout_, {16, 1u << 20});
  EXPECT_EQ(plan.buffers.task_size, 128u << 10);
  EXPECT_EQ(plan.task_count(), 256u);
}

TEST_F(PlanTest, RefusesABoundThatHoldsNoTask) {
  const std::string error = error_of(CKB_MEMORY, [&] { make_plan(nodes_, layout_, {1, 10000}); });
  EXPECT_THAT(error, testing::HasSubstr("at least 24576"));
}

TEST(Plan, SplitsABandOfRowsOverAllRanksInOneTask) {
  Nodes nodes;
  Layout layout;
  const std::int64_t shape[] = {1000, 4000};
  const ckb_node whole = nodes.add_extent(1, 100, kFloat16, shape, {});
  for (int rank = 0; rank < 8; ++rank) {
    const ckb_node shard = nodes.add_slice(whole, 1, rank * 500, rank * 500 + 500);
    const std::uint32_t file = layout.add_file(std::to_string(rank), nodes.size(shard));
    layout.put_value(file, 0, shard, nodes);
  }
  layout.finish();
  const Plan plan = make_plan(nodes, layout, {});
  ASSERT_EQ(plan.task_count(), 8u);
  for (std::uint64_t i = 0; i < 8; ++i) {
    ASSERT_EQ(plan.task(i).size(), 8u);
    for (const OutputRange& range : plan.task(i)) EXPECT_EQ(range.begin, i * 131 * 1000);
  }
}

TEST(Plan, PutsLiteralBytesIntoTheTaskOfTheValueBesideThem) {
  Nodes nodes;
  Layout layout;
  const std::int64_t shape[] = {100};
  const std::uint32_t file = layout.add_file("file", 300);
  layout.put_zeros(file, 0, 64);
  layout.put_value(file, 64, nodes.add_extent(7, 0, kFloat16, shape, {}), nodes);
  layout.put_zeros(file, 264, 36);
  layout.finish();
  const Plan plan = make_plan(nodes, layout, {});
  ASSERT_EQ(plan.task_count(), 1u);
  ASSERT_EQ(plan.task(0).size(), 3u);
  EXPECT_EQ(plan.task(0)[0].begin, 0u);
  EXPECT_EQ(plan.task(0)[2].begin, 264u);
}

// Values of one source file that follow each other, each in output files of its own.
class BandTest : public testing::Test {
 protected:
  // Goes to one file as it is.
  void add(std::uint64_t kibi) {
    const std::int64_t shape[] = {static_cast<std::int64_t>(kibi), 512};
    put(extent(shape));
  }
  // Goes to so many files by columns: bytes that are read in one go.
  void add_band(std::uint64_t kibi, int ranks) {
    const std::int64_t rows = static_cast<std::int64_t>(kibi) / ranks;
    const std::int64_t shape[] = {rows, 512 * ranks};
    const ckb_node whole = extent(shape);
    for (int rank = 0; rank < ranks; ++rank) {
      put(nodes_.add_slice(whole, 1, rank * 512, rank * 512 + 512));
    }
  }
  // The output files of each task.
  std::vector<std::vector<std::uint32_t>> tasks() {
    layout_.finish();
    const Plan plan = make_plan(nodes_, layout_, {});
    std::vector<std::vector<std::uint32_t>> result(plan.task_count());
    for (std::size_t i = 0; i < result.size(); ++i) {
      for (const OutputRange& range : plan.task(i)) result[i].push_back(range.file);
    }
    return result;
  }

 private:
  ckb_node extent(std::span<const std::int64_t> shape) {
    const ckb_node node = nodes_.add_extent(1, read_, kFloat16, shape, {});
    read_ += nodes_.size(node);
    return node;
  }
  void put(ckb_node value) {
    const std::string name = std::to_string(layout_.files().size());
    layout_.put_value(layout_.add_file(name, nodes_.size(value)), 0, value, nodes_);
  }

  Nodes nodes_;
  Layout layout_;
  std::uint64_t read_ = 0;
};

TEST_F(BandTest, StaysTogetherInATaskOfItsOwnWhereTheOneBeforeHasTooLittleRoom) {
  add(600);
  add_band(600, 2);
  EXPECT_THAT(tasks(), ElementsAre(ElementsAre(0), ElementsAre(1, 2)));
}

TEST_F(BandTest, SharesATaskThatItFillsToTheLastByte) {
  add(424);
  add_band(600, 2);
  EXPECT_THAT(tasks(), ElementsAre(ElementsAre(0, 1, 2)));
}

TEST_F(BandTest, SharesATaskWithTheNextWhereBothFit) {
  add_band(300, 2);
  add_band(300, 2);
  add_band(600, 2);
  EXPECT_THAT(tasks(), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4, 5)));
}

TEST_F(BandTest, OfManyRanksIsCutIntoBandsOfFewerRows) {
  add_band(4096, 4);
  EXPECT_THAT(tasks(), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(0, 1, 2, 3),
                                   ElementsAre(0, 1, 2, 3), ElementsAre(0, 1, 2, 3)));
}

TEST_F(BandTest, ThatIsLargerThanATaskFillsOneAfterTheOther) {
  Nodes nodes;
  Layout layout;
  // Windows of one source that overlap: one band, of three tasks' bytes.
  for (std::uint64_t i = 0; i < 6; ++i) {
    const std::int64_t shape[] = {256 * 1024};
    const ckb_node window = nodes.add_extent(1, i * 256 * kKibi, kFloat16, shape, {});
    layout.put_value(layout.add_file(std::to_string(i), nodes.size(window)), 0, window, nodes);
  }
  layout.finish();
  const Plan plan = make_plan(nodes, layout, {});
  ASSERT_EQ(plan.task_count(), 3u);
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(plan.ranges[i], (OutputRange{0, 512 * kKibi, i, 0}));
  }
  EXPECT_THAT(plan.first, ElementsAre(0, 2, 4, 6));
}

TEST(Plan, CountsAReplicatedValueOnceForAllItsFiles) {
  Nodes nodes;
  Layout layout;
  const std::int64_t shape[] = {512 * 1024};
  const ckb_node value = nodes.add_extent(1, 0, kFloat16, shape, {});
  for (int rank = 0; rank < 5; ++rank) {
    layout.put_value(layout.add_file(std::to_string(rank), nodes.size(value)), 0, value, nodes);
  }
  layout.finish();
  EXPECT_THAT(make_plan(nodes, layout, {}).first, ElementsAre(0, 5));
}

// Two files of a value each, and one of literal bytes.
class SameContentTest : public testing::Test {
 protected:
  SameContentTest() {
    const std::int64_t shape[] = {4};
    const ckb_node value = nodes_.add_extent(1, 0, kFloat16, shape, {});
    const ckb_node other = nodes_.add_extent(1, 8, kFloat16, shape, {});
    layout_.put_value(layout_.add_file("first", 8), 0, value, nodes_);
    const std::uint32_t second = layout_.add_file("second", 24);
    layout_.put_zeros(second, 0, 8);
    layout_.put_value(second, 8, value, nodes_);
    layout_.put_value(second, 16, other, nodes_);
    // Its segments count as many bytes into the layout's as the values have numbers.
    const std::uint32_t literal = layout_.add_file("literal", 25);
    const std::vector<std::byte> bytes(9);
    layout_.put_bytes(literal, 0, std::span(bytes).first(1));
    layout_.put_bytes(literal, 1, std::span(bytes).first(8));
    layout_.put_zeros(literal, 9, 8);
    layout_.put_zeros(literal, 17, 8);
    layout_.finish();
  }

  bool same(const OutputRange& a, const OutputRange& b) const {
    return same_content(layout_, a, b);
  }

  Nodes nodes_;
  Layout layout_;
  const OutputRange value_{0, 8, 0, 0};
  const OutputRange replica_{8, 8, 1, 1};
  const OutputRange literal_{1, 8, 2, 1};
};

TEST_F(SameContentTest, IsThatOfTheSameElementsOfOneValueInAnyFile) {
  EXPECT_TRUE(same(value_, replica_));
  EXPECT_TRUE(same({4, 4, 0, 0}, {12, 4, 1, 1}));
}

TEST_F(SameContentTest, IsNotThatOfOtherElements) {
  EXPECT_FALSE(same({0, 4, 0, 0}, {12, 4, 1, 1}));
  EXPECT_FALSE(same({0, 4, 0, 0}, replica_));
}

TEST_F(SameContentTest, IsNotThatOfAnotherValue) { EXPECT_FALSE(same(value_, {16, 8, 1, 2})); }

TEST_F(SameContentTest, IsNeverThatOfLiteralBytes) {
  ASSERT_EQ(layout_.files()[2].segments[1].index, layout_.files()[0].segments[0].index);
  EXPECT_FALSE(same(literal_, value_));
  EXPECT_FALSE(same(value_, literal_));
  EXPECT_FALSE(same(literal_, literal_));
  EXPECT_FALSE(same({9, 8, 2, 2}, {17, 8, 2, 3}));
}

}  // namespace
}  // namespace ckptbridge
