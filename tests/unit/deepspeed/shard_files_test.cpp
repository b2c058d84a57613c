#include "plugins/deepspeed/shard_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::deepspeed {
namespace {

using testing::HasSubstr;

constexpr char kModel[] = "zero_pp_rank_{}_mp_rank_{:02}_model_states.pt";
constexpr char kOptimizer[] = "bf16_zero_pp_rank_{}_mp_rank_{:02}_optim_states.pt";

class ShardFilesTest : public testing::Test {
 protected:
  // Empty files of all ranks.
  void make(int dp_world, int mp_world) const {
    for (int dp = 0; dp < dp_world; ++dp) {
      for (int mp = 0; mp < mp_world; ++mp) {
        folder_.write("step/" + name(kModel, dp, mp), "");
        folder_.write("step/" + name(kOptimizer, dp, mp), "");
      }
    }
    folder_.write("latest", "step");
  }
  static std::string name(const char* pattern, int dp, int mp) {
    return fmt::format(fmt::runtime(pattern), dp, mp);
  }
  void remove(const std::string& file) const {
    boost::filesystem::remove(folder_ / ("step/" + file));
  }
  void require(std::int64_t dp_world, std::int64_t mp_world) const {
    require_all_ranks(find_shard_files(folder_.path().string(), ""), dp_world, mp_world,
                      fmt::format("partition_count is {}", dp_world),
                      fmt::format("mp_world_size is {}", mp_world));
  }
  std::string error(std::int64_t dp_world, std::int64_t mp_world, ckb_status code) const {
    return error_of(code, [&] { require(dp_world, mp_world); });
  }

  const TempFolder folder_;
};

TEST_F(ShardFilesTest, NamesGiveRanks) {
  const auto model = shard_name_of("zero_pp_rank_12_mp_rank_03_model_states.pt");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->kind, ShardKind::kModel);
  EXPECT_EQ(model->rank, (Rank{12, 3}));
  const auto optimizer = shard_name_of("bf16_zero_pp_rank_0_mp_rank_128_optim_states.pt");
  ASSERT_TRUE(optimizer);
  EXPECT_EQ(optimizer->kind, ShardKind::kOptimizer);
  EXPECT_EQ(optimizer->rank, (Rank{0, 128}));
  EXPECT_EQ(optimizer->prefix, "bf16_");
  EXPECT_EQ(shard_name_of("zero_pp_rank_0_mp_rank_00_optim_states.pt")->prefix, "");
}

TEST_F(ShardFilesTest, OtherNamesAreNoShards) {
  for (const char* other :
       {"mp_rank_00_model_states.pt", "zero_pp_rank_00_mp_rank_00_model_states.pt",
        "zero_pp_rank_0_mp_rank_0_model_states.pt",
        "bf16_zero_pp_rank_0_mp_rank_00_model_states.pt",
        "zero_pp_rank_x_mp_rank_00_model_states.pt",
        "zero_pp_rank_0_mp_rank_00_model_states.pt.bak",
        "zero_pp_rank_1234567_mp_rank_00_model_states.pt"}) {
    EXPECT_FALSE(shard_name_of(other)) << other;
  }
}

TEST_F(ShardFilesTest, RanksAreSortedByNumber) {
  make(11, 2);
  const ShardFiles files = find_shard_files(folder_.path().string(), "");
  std::vector<int> order;
  for (const auto& [rank, file] : files.models) order.push_back(2 * rank.dp + rank.mp);
  for (int i = 0; i < 22; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(files.open_as("x").name, "step/x");
  require(11, 2);
}

TEST_F(ShardFilesTest, SaysWhichFileIsMissing) {
  make(4, 2);
  remove("bf16_zero_pp_rank_2_mp_rank_01_optim_states.pt");
  EXPECT_THAT(error(4, 2, CKB_NOT_FOUND),
              HasSubstr("step/: rank 2 of 4 is missing: no "
                        "bf16_zero_pp_rank_2_mp_rank_01_optim_states.pt (partition_count is 4)"));
  make(4, 2);
  remove("zero_pp_rank_3_mp_rank_01_model_states.pt");
  EXPECT_THAT(error(4, 2, CKB_NOT_FOUND),
              HasSubstr("rank 3 of 4 is missing: no zero_pp_rank_3_mp_rank_01_model_states.pt"));
}

TEST_F(ShardFilesTest, SaysWhichModelParallelRankIsMissing) {
  make(2, 1);
  EXPECT_THAT(error(2, 2, CKB_NOT_FOUND),
              HasSubstr("model-parallel rank 1 of 2 is missing: no "
                        "bf16_zero_pp_rank_0_mp_rank_01_optim_states.pt (mp_world_size is 2); "
                        "2 files are missing in all"));
}

TEST_F(ShardFilesTest, RefusesRanksThatDoNotBelong) {
  make(3, 1);
  EXPECT_THAT(error(2, 1, CKB_CORRUPT),
              HasSubstr("bf16_zero_pp_rank_2_mp_rank_00_optim_states.pt is of a rank that the "
                        "checkpoint does not have (partition_count is 2)"));
}

TEST_F(ShardFilesTest, RefusesTwoFilesOfOneRank) {
  make(1, 1);
  folder_.write("step/zero_pp_rank_0_mp_rank_00_optim_states.pt", "");
  EXPECT_THAT(error(1, 1, CKB_CORRUPT), HasSubstr("are both of data-parallel rank 0"));
}

TEST_F(ShardFilesTest, SaysWhatTheFolderHoldsInstead) {
  folder_.write("step/mp_rank_00_model_states.pt", "");
  folder_.write("latest", "step");
  EXPECT_THAT(error(1, 1, CKB_NOT_FOUND), HasSubstr("which --from zero1 reads"));
}

TEST_F(ShardFilesTest, RecognisesItsFilesByName) {
  EXPECT_EQ(probe_shard_files(folder_.path().string()), 0);
  folder_.write("step/mp_rank_00_model_states.pt", "");
  folder_.write("step/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "");
  folder_.write("latest", "step");
  EXPECT_LT(probe_shard_files(folder_.path().string()), 50);  // ZeRO-1's
  make(1, 1);
  EXPECT_GT(probe_shard_files(folder_.path().string()), 90);
  EXPECT_GT(probe_shard_files((folder_ / "step").string()), 90);
}

}  // namespace
}  // namespace ckptbridge::deepspeed
