#include "core/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

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
  const Plan many = make_plan(nodes_, layout_, {16, 128u << 20});
  EXPECT_EQ(many.buffers.threads, 16u);
  EXPECT_EQ(one.first, many.first);
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

}  // namespace
}  // namespace ckptbridge
