#include "plugins/nemo2/tiling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge::nemo2 {
namespace {

using testing::HasSubstr;

// A tensor of two dims is assembled to text: "0(…, …)" is a concat along dim 0.
class Assembled {
 public:
  std::string of(std::vector<std::int64_t> shape, std::vector<Tile> tiles) {
    texts_ = {""};
    for (Tile& tile : tiles) {
      texts_.push_back(std::string(1, static_cast<char>('a' + texts_.size() - 1)));
      tile.value = static_cast<ckb_node>(texts_.size() - 1);
    }
    const Concat concat = [&](std::span<const ckb_node> parts, std::uint32_t dim) {
      std::string text = std::to_string(dim) + "(";
      for (const ckb_node part : parts) text += (text.size() > 2 ? " " : "") + texts_.at(part);
      texts_.push_back(text + ")");
      return static_cast<ckb_node>(texts_.size() - 1);
    };
    return texts_.at(assemble(shape, std::move(tiles), "w", concat));
  }

 private:
  std::vector<std::string> texts_;
};

TEST(Tiling, IsTheOnlyChunkItself) {
  EXPECT_EQ(Assembled().of({4, 6}, {{{0, 0}, {4, 6}, 0}}), "a");
}

TEST(Tiling, HasNoDimensionsForAScalar) { EXPECT_EQ(Assembled().of({}, {{{}, {}, 0}}), "a"); }

TEST(Tiling, TakesChunksInAnyOrder) {
  EXPECT_EQ(Assembled().of({4, 6}, {{{3, 0}, {1, 6}, 0}, {{0, 0}, {1, 6}, 0}, {{1, 0}, {2, 6}, 0}}),
            "0(b c a)");
}

TEST(Tiling, TakesAGridOfRowsAndColumns) {
  EXPECT_EQ(
      Assembled().of(
          {4, 6},
          {{{0, 0}, {2, 3}, 0}, {{0, 3}, {2, 3}, 0}, {{2, 0}, {2, 3}, 0}, {{2, 3}, {2, 3}, 0}}),
      "0(1(a b) 1(c d))");
}

TEST(Tiling, TakesRowsOfDifferentCuts) {
  EXPECT_EQ(Assembled().of({3, 6}, {{{0, 0}, {3, 2}, 0}, {{0, 2}, {1, 4}, 0}, {{1, 2}, {2, 4}, 0}}),
            "1(a 0(b c))");
}

TEST(Tiling, PassesOverChunksWithoutElements) {
  EXPECT_EQ(Assembled().of({2, 2}, {{{0, 0}, {2, 2}, 0}, {{2, 0}, {0, 2}, 0}}), "a");
}

TEST(Tiling, RefusesAHoleInTheMiddle) {
  EXPECT_THAT(error_of([] {
                Assembled().of({2, 3}, {{{0, 0}, {2, 1}, 0}, {{0, 2}, {2, 1}, 0}});
              }),
              HasSubstr("w: no chunk holds the elements from [0, 1] to [2, 2]"));
}

TEST(Tiling, RefusesAHoleInACorner) {
  EXPECT_THAT(error_of([] {
                Assembled().of({2, 2}, {{{0, 0}, {1, 2}, 0}, {{1, 0}, {1, 1}, 0}});
              }),
              HasSubstr("w: no chunk holds the elements from [1, 1] to [2, 2]"));
}

TEST(Tiling, RefusesTheSameChunkTwice) {
  EXPECT_THAT(error_of([] {
                Assembled().of({2, 2}, {{{0, 0}, {2, 2}, 0}, {{0, 0}, {2, 2}, 0}});
              }),
              HasSubstr("w: the chunks of [2, 2] at [0, 0] and of [2, 2] at [0, 0] overlap"));
}

TEST(Tiling, RefusesNoChunkAtAll) {
  EXPECT_THAT(error_of([] { Assembled().of({2, 2}, {}); }), HasSubstr("w: there is no chunk"));
}

TEST(Tiling, RefusesChunksThatInterlock) {
  EXPECT_THAT(error_of([] {
                Assembled().of({3, 3}, {{{0, 0}, {1, 2}, 0},
                                        {{0, 2}, {2, 1}, 0},
                                        {{2, 1}, {1, 2}, 0},
                                        {{1, 0}, {2, 1}, 0},
                                        {{1, 1}, {1, 1}, 0}});
              }),
              HasSubstr("w: its 5 chunks overlap, or interlock so that no straight cut takes "
                        "them apart"));
}

TEST(RowBlocksOfTiles, AreThoseOfEqualBlocksCutFurther) {
  // As the writer cuts 40b's fc1.
  EXPECT_EQ(row_blocks_of({43776, 8192}, {{{0, 0}, {16384, 8192}, 0},
                                          {{16384, 0}, {5504, 8192}, 0},
                                          {{21888, 0}, {16384, 8192}, 0},
                                          {{38272, 0}, {5504, 8192}, 0}}),
            2u);
}

TEST(RowBlocksOfTiles, AreNoneForColumnsOrUnequalRows) {
  EXPECT_EQ(row_blocks_of({4, 6}, {{{0, 0}, {4, 3}, 0}, {{0, 3}, {4, 3}, 0}}), 0u);
  EXPECT_EQ(row_blocks_of({4, 6}, {{{0, 0}, {1, 6}, 0}, {{1, 0}, {3, 6}, 0}}), 0u);
  EXPECT_EQ(row_blocks_of({4, 6}, {{{0, 0}, {4, 6}, 0}}), 0u);
  EXPECT_EQ(row_blocks_of({}, {{{}, {}, 0}}), 0u);
}

}  // namespace
}  // namespace ckptbridge::nemo2
