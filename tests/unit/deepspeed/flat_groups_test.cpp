#include "plugins/deepspeed/flat_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge::deepspeed {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(FlatGroup, FragmentsFollowEachOther) {
  const FlatGroup group({{"a", {4, 8}}, {"b", {16}}}, 4);
  EXPECT_EQ(group.fragment(0).begin, 0);
  EXPECT_EQ(group.fragment(0).size, 8);
  EXPECT_EQ(group.fragment(1).begin, 8);
  EXPECT_EQ(group.fragment(1).size, 4);
  EXPECT_EQ(group.size(), 12);
}

TEST(FlatGroup, EachFragmentIsRoundedUpOnItsOwn) {
  const FlatGroup group({{"a", {10}}, {"b", {2, 3}}, {"c", {1}}}, 3);
  EXPECT_EQ(group.fragment(0).size, 4);
  EXPECT_EQ(group.fragment(0).padding, 2);
  EXPECT_EQ(group.fragment(1).size, 2);
  EXPECT_EQ(group.fragment(1).padding, 0);
  EXPECT_EQ(group.fragment(2).begin, 6);
  EXPECT_EQ(group.fragment(2).padding, 2);
  EXPECT_EQ(group.size(), 7);
}

TEST(FlatGroup, HoldsScalarsAndWhatIsEmpty) {
  const FlatGroup group({{"scalar", {}}, {"empty", {0, 5}}}, 2);
  EXPECT_EQ(group.fragment(0).count, 1);
  EXPECT_EQ(group.fragment(1).count, 0);
  EXPECT_EQ(group.size(), 1);
}

TEST(FlatGroup, OneRankHoldsWholeParameters) {
  const FlatGroup group({{"a", {7, 11}}}, 1);
  EXPECT_EQ(group.fragment(0).size, 77);
  EXPECT_EQ(group.fragment(0).padding, 0);
}

TEST(FlatGroup, RefusesShapesThatCannotBe) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  for (const plugin::Shape& shape :
       {plugin::Shape{-1}, plugin::Shape{kHuge, kHuge}, plugin::Shape{0, kHuge, kHuge}}) {
    EXPECT_THAT(error_of(CKB_CORRUPT,
                         [&] {
                           FlatGroup({{"w", shape}}, 2);
                         }),
                AllOf(HasSubstr("param_shapes: w has the impossible shape"), HasSubstr("]")));
  }
}

}  // namespace
}  // namespace ckptbridge::deepspeed
