#include "core/plan/value_cuts.h"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ckptbridge {

inline bool operator==(const Cut& a, const Cut& b) {
  return a.begin == b.begin && a.size == b.size && a.file == b.file &&
         a.source_begin == b.source_begin && a.source_end == b.source_end;
}
inline void PrintTo(const Cut& cut, std::ostream* out) {
  *out << cut.size << " at " << cut.begin << " from [" << cut.source_begin << ", " << cut.source_end
       << ") of file " << cut.file;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Cut into parts of at most 100 bytes.
class ValueCutsTest : public testing::Test {
 protected:
  ckb_node extent(ckb_file file, std::uint64_t offset, std::vector<std::int64_t> shape,
                  Dtype dtype = kFloat16) {
    return nodes_.add_extent(file, offset, dtype, shape, {});
  }
  ckb_node joined(const std::vector<ckb_node>& parts, std::uint32_t dim = 0) {
    return nodes_.add_concat(parts, dim);
  }
  std::vector<Cut> cuts(ckb_node value, std::uint64_t most = 100) {
    std::vector<Cut> result;
    cut(
        nodes_, value, most, [&](const Cut& part) { result.push_back(part); }, groups_);
    return result;
  }

  Nodes nodes_;
  FileGroups groups_;
};

TEST_F(ValueCutsTest, AreAsLargeAsAllowed) {
  EXPECT_THAT(
      cuts(extent(1, 8, {125})),
      ElementsAre(Cut{0, 100, 1, 8, 108}, Cut{100, 100, 1, 108, 208}, Cut{200, 50, 1, 208, 258}));
}

TEST_F(ValueCutsTest, AreOfWholeElements) {
  EXPECT_THAT(
      cuts(extent(1, 0, {30}, kFloat64), 99),
      ElementsAre(Cut{0, 96, 1, 0, 96}, Cut{96, 96, 1, 96, 192}, Cut{192, 48, 1, 192, 240}));
}

TEST_F(ValueCutsTest, ReadMoreThanTheyMakeOfWiderElements) {
  const ckb_node value = nodes_.add_cast(extent(1, 0, {60}, kFloat64), kFloat16);
  EXPECT_THAT(cuts(value), ElementsAre(Cut{0, 100, 1, 0, 400}, Cut{100, 20, 1, 400, 480}));
}

TEST_F(ValueCutsTest, JoinSmallPartsThatFollowEachOtherToTheLastByte) {
  EXPECT_THAT(cuts(joined({extent(1, 0, {30}), extent(1, 80, {20})})),
              ElementsAre(Cut{0, 100, 1, 0, 120}));
  EXPECT_THAT(cuts(joined({extent(1, 0, {30}), extent(1, 80, {21})})),
              ElementsAre(Cut{0, 60, 1, 0, 60}, Cut{60, 42, 1, 80, 122}));
}

TEST_F(ValueCutsTest, KeepPartsApartThatLieFarApartOrBackwards) {
  EXPECT_THAT(cuts(joined({extent(1, 0, {10}), extent(1, 120, {10})})),
              ElementsAre(Cut{0, 40, 1, 0, 140}));
  EXPECT_THAT(cuts(joined({extent(1, 0, {10}), extent(1, 122, {10})})),
              ElementsAre(Cut{0, 20, 1, 0, 20}, Cut{20, 20, 1, 122, 142}));
  EXPECT_THAT(cuts(joined({extent(1, 200, {10}), extent(1, 180, {10})})),
              ElementsAre(Cut{0, 20, 1, 200, 220}, Cut{20, 20, 1, 180, 200}));
  EXPECT_THAT(cuts(joined({extent(1, 0, {10}), extent(2, 20, {10})})),
              ElementsAre(Cut{0, 20, 1, 0, 20}, Cut{20, 20, 2, 20, 40}));
}

TEST_F(ValueCutsTest, TakeConstantsAlong) {
  const std::int64_t shape[] = {5};
  const std::vector<std::byte> bytes(10);
  const ckb_node constant = nodes_.add_constant(kFloat16, shape, bytes);
  EXPECT_THAT(cuts(joined({extent(1, 40, {10}), constant})), ElementsAre(Cut{0, 30, 1, 40, 60}));
  EXPECT_THAT(cuts(constant), ElementsAre(Cut{0, 10, 0, 0, 10}));
}

TEST_F(ValueCutsTest, AreNoneOfNoElements) { EXPECT_THAT(cuts(extent(1, 0, {0, 5})), IsEmpty()); }

TEST_F(ValueCutsTest, HoldRowsThatSeveralSourcesShare) {
  const ckb_node value = joined({extent(1, 0, {12, 10}), extent(2, 40, {12, 10})}, 1);
  EXPECT_THAT(cuts(value), ElementsAre(Cut{0, 80, 1, 0, 40}, Cut{80, 80, 1, 40, 80},
                                       Cut{160, 80, 1, 80, 120}, Cut{240, 80, 1, 120, 160},
                                       Cut{320, 80, 1, 160, 200}, Cut{400, 80, 1, 200, 240}));
  EXPECT_THAT(groups_.numbers(64), ElementsAre(0, 1, 1));
}

TEST_F(ValueCutsTest, HoldARowOfExactlyTheSizeAndCutALargerOne) {
  const ckb_node fits = joined({extent(1, 0, {2, 25}), extent(2, 0, {2, 25})}, 1);
  EXPECT_THAT(cuts(fits), ElementsAre(Cut{0, 100, 1, 0, 50}, Cut{100, 100, 1, 50, 100}));
  const ckb_node wide = joined({extent(1, 0, {2, 25}), extent(2, 0, {2, 26})}, 1);
  EXPECT_THAT(cuts(wide), ElementsAre(Cut{0, 50, 1, 0, 50}, Cut{50, 52, 2, 0, 52},
                                      Cut{102, 50, 1, 50, 100}, Cut{152, 52, 2, 52, 104}));
}

TEST_F(ValueCutsTest, OfColumnsSpanTheRowsThatAllRanksCutAt) {
  const ckb_node whole = extent(1, 0, {10, 20});
  for (const std::int64_t rank : {0, 1, 2, 3}) {
    const auto begin = static_cast<std::uint64_t>(rank) * 10;
    EXPECT_THAT(
        cuts(nodes_.add_slice(whole, 1, rank * 5, rank * 5 + 5)),
        ElementsAre(Cut{0, 20, 1, begin, begin + 50}, Cut{20, 20, 1, begin + 80, begin + 130},
                    Cut{40, 20, 1, begin + 160, begin + 210},
                    Cut{60, 20, 1, begin + 240, begin + 290},
                    Cut{80, 20, 1, begin + 320, begin + 370}));
  }
}

}  // namespace
}  // namespace ckptbridge
