#include "core/graph/logical_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

class LogicalTensorsTest : public testing::Test {
 protected:
  LogicalTensorsTest() : graph_(run_.arena) { graph_.add_storage(1, 0, 1000); }

  Tensor shard(const std::string& name, std::int32_t rank, std::int32_t world, std::int32_t dim,
               std::vector<std::int64_t> shape = {2, 3}) {
    Tensor tensor;
    tensor.name = name;
    tensor.role = "param";
    tensor.value = graph_.add_extent(1, 0, kFloat16, shape, {});
    tensor.mp_rank = rank;
    tensor.mp_world_size = world;
    tensor.partition_dim = dim;
    return tensor;
  }
  void add(const Tensor& tensor) { graph_.add_tensor(tensor); }
  std::string refusal() {
    const Error error = thrown_by([&] { logical_tensors(graph_); });
    EXPECT_EQ(error.code(), CKB_CORRUPT);
    EXPECT_EQ(error.about().tensor, "w");
    return error.what();
  }

  ExecuteRun run_{1, 500};
  Graph graph_;
};

TEST_F(LogicalTensorsTest, JoinShardsAlongTheirDimension) {
  add(shard("w", 1, 2, 1, {2, 4}));
  add(shard("w", 0, 2, 1));
  const auto tensors = logical_tensors(graph_);
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(form_text(tensors[0].form), "[2, 7] of float16");
  EXPECT_EQ(tensors[0].mp_world_size, 1);
  const auto parts = run_.arena.nodes.inputs(tensors[0].value);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0], graph_.tensors()[1].value);
}

TEST_F(LogicalTensorsTest, TakeTheFirstOfReplicas) {
  add(shard("w", 1, 2, CKB_REPLICATED));
  add(shard("w", 0, 2, CKB_REPLICATED));
  const auto tensors = logical_tensors(graph_);
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].value, graph_.tensors()[1].value);
}

TEST_F(LogicalTensorsTest, StayShardsWhereNobodySaysHowTheyAreSplit) {
  for (const std::int32_t rank : {1, 0}) add(shard("w", rank, 2, CKB_PARTITION_UNKNOWN));
  const auto tensors = logical_tensors(graph_);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].mp_rank, 0);
  EXPECT_EQ(tensors[1].mp_rank, 1);
  EXPECT_EQ(tensors[1].mp_world_size, 2);
  EXPECT_TRUE(has_unknown_partition(graph_));
}

TEST_F(LogicalTensorsTest, AreWholeWithoutSayingHowOnOneRank) {
  add(shard("w", 0, 1, CKB_PARTITION_UNKNOWN));
  add(shard("v", 0, 2, CKB_REPLICATED));
  EXPECT_EQ(logical_tensors(graph_).size(), 2u);
  EXPECT_EQ(logical_tensors(graph_)[0].name, "v");
  EXPECT_FALSE(has_unknown_partition(graph_));
}

TEST_F(LogicalTensorsTest, NeedTheShardsOfAllRanks) {
  add(shard("w", 0, 3, 0));
  add(shard("w", 2, 3, 0));
  EXPECT_THAT(refusal(), HasSubstr("w: its 2 shards are not those of 3 ranks, split in one way"));
}

TEST_F(LogicalTensorsTest, NeedShardsOfOneWorld) {
  add(shard("w", 0, 2, 0));
  add(shard("w", 1, 3, 0));
  EXPECT_THAT(refusal(), HasSubstr("not those of 2 ranks"));
}

TEST_F(LogicalTensorsTest, NeedShardsThatAreSplitInOneWay) {
  add(shard("w", 0, 2, 0));
  add(shard("w", 1, 2, 1));
  EXPECT_THAT(refusal(), HasSubstr("split in one way"));
}

TEST_F(LogicalTensorsTest, NeedShardsThatFitTogether) {
  add(shard("w", 0, 2, 0));
  add(shard("w", 1, 2, 0, {2, 4}));
  EXPECT_THAT(refusal(), testing::StartsWith("w: "));
}

}  // namespace
}  // namespace ckptbridge
