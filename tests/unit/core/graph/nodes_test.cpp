#include "core/graph/nodes.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
using Shape = std::vector<std::int64_t>;

std::uint64_t span_of(const Shape& shape, const Shape& strides) {
  return strided_span(shape, strides, "w");
}

TEST(CheckedCount, IsTheProductOfTheSizes) {
  EXPECT_EQ(checked_count(Shape{}, kFloat32, "w"), 1u);
  EXPECT_EQ(checked_count(Shape{2, 3, 4}, kFloat32, "w"), 24u);
  EXPECT_EQ(checked_count(Shape{2, 0, 4}, kFloat32, "w"), 0u);
}

TEST(CheckedCount, TakesAsManyBytesAsFitAndNotOneMore) {
  EXPECT_EQ(checked_count(Shape{kLargest}, kInt8, "w"), static_cast<std::uint64_t>(kLargest));
  EXPECT_THAT(error_of(CKB_CORRUPT, [] { checked_count(Shape{kLargest}, kInt16, "w"); }),
              HasSubstr("w: impossible shape [9223372036854775807]"));
  EXPECT_EQ(checked_count(Shape{kLargest / 2}, kInt16, "w"),
            static_cast<std::uint64_t>(kLargest / 2));
}

TEST(CheckedCount, RefusesSizesThatOverflowBehindAZero) {
  for (const Shape& shape : {Shape{0, kLargest, 2}, Shape{kLargest, 2, 0}, Shape{3, -1}}) {
    error_of(CKB_CORRUPT, [&] { checked_count(shape, kInt8, "w"); });
  }
}

TEST(CheckedCount, TakesAsManyDimensionsAsTorchAndNotOneMore) {
  EXPECT_EQ(checked_count(Shape(64, 1), kInt8, "w"), 1u);
  EXPECT_THAT(error_of(CKB_CORRUPT, [] { checked_count(Shape(65, 1), kInt8, "w"); }),
              HasSubstr("w: 65 dimensions, at most 64"));
}

TEST(CheckedCount, TakesElementsOfPowersOfTwoBytesUpToSixtyFour) {
  EXPECT_EQ(checked_count(Shape{5}, {2, 64, 8}, "w"), 5u);
  for (const Dtype dtype : {Dtype{2, 64, 16}, Dtype{2, 8, 3}, Dtype{2, 4, 1}}) {
    error_of(CKB_UNSUPPORTED, [&] { checked_count(Shape{5}, dtype, "w"); });
  }
}

TEST(StridedSpan, IsOnePastTheLastElement) {
  EXPECT_EQ(span_of({}, {}), 1u);
  EXPECT_EQ(span_of({3, 4}, {4, 1}), 12u);
  EXPECT_EQ(span_of({3, 4}, {1, 3}), 12u);
  EXPECT_EQ(span_of({3, 4}, {10, 2}), 27u);
  EXPECT_EQ(span_of({3, 4}, {0, 1}), 4u);
  EXPECT_EQ(span_of({3, 0}, {kLargest, 1}), 0u);
}

TEST(StridedSpan, RefusesStridesThatAreNegativeOrOverflow) {
  EXPECT_THAT(error_of(CKB_CORRUPT,
                       [] {
                         span_of({3, 4}, {-4, 1});
                       }),
              HasSubstr("w: impossible strides [-4, 1]"));
  error_of(CKB_CORRUPT, [] { span_of({3}, {kLargest}); });
  error_of(CKB_CORRUPT, [] { span_of({2, 2}, {kLargest - 1, 1}); });
  EXPECT_EQ(span_of({2, 2}, {kLargest - 2, 1}), static_cast<std::uint64_t>(kLargest));
  error_of(CKB_INVALID_ARGUMENT, [] { span_of({3, 4}, {1}); });
}

class NodesTest : public testing::Test {
 protected:
  ckb_node extent(const Shape& shape, Dtype dtype = kFloat32) {
    return nodes_.add_extent(1, 0, dtype, shape, {});
  }
  template <class Body>
  std::string refusal(Body&& body) {
    return error_of(CKB_INVALID_ARGUMENT, body);
  }

  Nodes nodes_;
};

TEST_F(NodesTest, CountExtentsFromTheirFirstByteToTheLastOneThatTheyTouch) {
  const ckb_node rows = nodes_.add_extent(7, 100, kFloat16, Shape{3, 4}, Shape{10, 2});
  EXPECT_EQ(nodes_.file(rows), 7u);
  EXPECT_EQ(nodes_.offset(rows), 100u);
  EXPECT_EQ(nodes_.size(rows), 24u);
  EXPECT_EQ(nodes_.extent_size(rows), 54u);
  EXPECT_EQ(nodes_.extent_size(extent({3, 4})), 48u);
}

TEST_F(NodesTest, SliceUpToTheEndAndNotBeyond) {
  const ckb_node value = extent({3, 4});
  EXPECT_THAT(nodes_.shape(nodes_.add_slice(value, 1, 1, 4)), ElementsAre(3, 3));
  EXPECT_THAT(nodes_.shape(nodes_.add_slice(value, 0, 2, 2)), ElementsAre(0, 4));
  refusal([&] { nodes_.add_slice(value, 1, 1, 5); });
  refusal([&] { nodes_.add_slice(value, 1, -1, 2); });
  refusal([&] { nodes_.add_slice(value, 1, 3, 2); });
  refusal([&] { nodes_.add_slice(value, 2, 0, 1); });
}

TEST_F(NodesTest, JoinWhatIsAlikeInAllOtherDimensions) {
  const ckb_node parts[] = {extent({3, 4}), extent({3, 1}), extent({3, 0})};
  EXPECT_THAT(nodes_.shape(nodes_.add_concat(parts, 1)), ElementsAre(3, 5));
  refusal([&] { nodes_.add_concat(parts, 0); });
  refusal([&] { nodes_.add_concat(parts, 2); });
  refusal([&] { nodes_.add_concat({}, 0); });
  const ckb_node types[] = {extent({3}), extent({3}, kInt32)};
  refusal([&] { nodes_.add_concat(types, 0); });
  const ckb_node dims[] = {extent({3}), extent({3, 1})};
  refusal([&] { nodes_.add_concat(dims, 0); });
}

TEST_F(NodesTest, ReshapeToAsManyElements) {
  const ckb_node value = extent({3, 4});
  EXPECT_THAT(nodes_.shape(nodes_.add_reshape(value, Shape{2, 6})), ElementsAre(2, 6));
  refusal([&] { nodes_.add_reshape(value, Shape{11}); });
  refusal([&] { nodes_.add_reshape(value, Shape{13}); });
}

TEST_F(NodesTest, PermuteEachDimensionOnce) {
  const ckb_node value = extent({3, 4, 5});
  const auto permuted = [&](const std::vector<std::uint32_t>& dims) {
    return nodes_.add_permute(value, dims);
  };
  EXPECT_THAT(nodes_.shape(permuted({2, 0, 1})), ElementsAre(5, 3, 4));
  refusal([&] { permuted({0, 1}); });
  refusal([&] { permuted({0, 1, 1}); });
  refusal([&] { permuted({0, 1, 3}); });
}

TEST_F(NodesTest, CastFourTimesAlongAPathAndNoMore) {
  ckb_node value = extent({3});
  for (int i = 0; i < 4; ++i) value = nodes_.add_cast(value, i % 2 == 0 ? kBFloat16 : kFloat32);
  try {
    nodes_.add_cast(value, kBFloat16);
    ADD_FAILURE() << "a fifth cast was added";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cast"));
  }
}

TEST_F(NodesTest, AreNumberedFromOne) {
  refusal([&] { nodes_.require(1); });
  const ckb_node first = extent({3});
  EXPECT_EQ(first, 1u);
  nodes_.require(first);
  refusal([&] { nodes_.require(0); });
  refusal([&] { nodes_.require(2); });
}

TEST_F(NodesTest, KeepConstantsOfUpToSixtyFourKibibytes) {
  const std::vector<std::byte> bytes(64 << 10, std::byte{7});
  const ckb_node value = nodes_.add_constant(kInt8, Shape{64 << 10}, bytes);
  EXPECT_EQ(nodes_.constant(value).size(), bytes.size());
  const std::vector<std::byte> more(bytes.size() + 1);
  refusal([&] { nodes_.add_constant(kInt8, Shape{(64 << 10) + 1}, more); });
}

}  // namespace
}  // namespace ckptbridge
