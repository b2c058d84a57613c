#include "plugins/nemo2/chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ckptbridge::nemo2 {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMiB = 1u << 20;

std::vector<std::pair<std::int64_t, std::int64_t>> blocks(std::vector<std::int64_t> shape,
                                                          std::uint32_t wanted = 0) {
  plugin::TensorView tensor{};
  tensor.shape = shape;
  tensor.dtype = kBFloat16;
  tensor.row_blocks = wanted;
  std::vector<std::pair<std::int64_t, std::int64_t>> result;
  for (const RowBlock& block : row_blocks(tensor, 256 * kMiB)) {
    result.emplace_back(block.begin, block.end);
  }
  return result;
}

TEST(RowBlocks, AreOneForASmallTensor) {
  EXPECT_THAT(blocks({512, 4096}), ElementsAre(std::pair(0, 512)));
}

TEST(RowBlocks, AreAsManyAsTheTensorAsksFor) {
  EXPECT_THAT(blocks({352, 64}, 2), ElementsAre(std::pair(0, 176), std::pair(176, 352)));
}

TEST(RowBlocks, AreOneWhereTheRowsDoNotDivide) {
  EXPECT_THAT(blocks({353, 64}, 2), ElementsAre(std::pair(0, 353)));
}

TEST(RowBlocks, HoldAtMost256MiBEach) {
  // 40b's fc1: 43776 rows of 16 KiB, 684 MiB; in two, each of which takes two blocks.
  EXPECT_THAT(blocks({43776, 8192}, 2),
              ElementsAre(std::pair(0, 16384), std::pair(16384, 21888), std::pair(21888, 38272),
                          std::pair(38272, 43776)));
}

TEST(RowBlocks, HoldOneRowThatIsLargerThanThat) {
  EXPECT_THAT(blocks({2, 1 << 28}), ElementsAre(std::pair(0, 1), std::pair(1, 2)));
}

TEST(RowBlocks, AreOneForATensorWithoutDimensionsOrRows) {
  EXPECT_THAT(blocks({}), ElementsAre(std::pair(0, 1)));
  EXPECT_THAT(blocks({0, 5}), ElementsAre(std::pair(0, 0)));
}

TEST(DataFiles, AreOneForEach4GiBBegunButAtLeast2AndAtMost64) {
  EXPECT_EQ(data_file_count(0), 2u);
  EXPECT_EQ(data_file_count(8192 * kMiB), 2u);
  EXPECT_EQ(data_file_count(8192 * kMiB + 1), 3u);
  EXPECT_EQ(data_file_count(std::uint64_t{1} << 50), 64u);
}

TEST(DataFiles, TakeTheLargestFirstIntoTheEmptiest) {
  EXPECT_THAT(assign_files({10, 70, 40, 30}, 2), ElementsAre(0, 0, 1, 1));
}

TEST(DataFiles, AreTheSameForTheSameSizes) {
  EXPECT_EQ(assign_files({5, 5, 5, 5}, 3), assign_files({5, 5, 5, 5}, 3));
  EXPECT_THAT(assign_files({5, 5, 5, 5}, 3), ElementsAre(0, 1, 2, 0));
}

}  // namespace
}  // namespace ckptbridge::nemo2
