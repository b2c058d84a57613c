#include "core/graph/layout.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

class LayoutTest : public testing::Test {
 protected:
  std::uint32_t file(std::uint64_t size) {
    return layout_.add_file("file" + std::to_string(layout_.files().size()), size);
  }
  // What finish() says is wrong.
  std::string mistake() {
    return error_of(CKB_INTERNAL, [&] { layout_.finish(); });
  }

  Layout layout_;
};

TEST_F(LayoutTest, IsSortedAndWithoutHoles) {
  const std::uint32_t out = file(10);
  layout_.put_zeros(out, 6, 4);
  layout_.put_zeros(out, 0, 6);
  layout_.put_zeros(out, 3, 0);
  layout_.finish();
  const OutputFile& made = layout_.files()[0];
  ASSERT_EQ(made.segments.size(), 2u);
  EXPECT_EQ(made.segments[0].offset, 0u);
  EXPECT_EQ(made.segments[1].offset, 6u);
  EXPECT_EQ(layout_.total_size(), 10u);
}

TEST_F(LayoutTest, NamesHoles) {
  const std::uint32_t out = file(10);
  layout_.put_zeros(out, 0, 4);
  layout_.put_zeros(out, 5, 5);
  EXPECT_THAT(mistake(), HasSubstr("file0: nothing is put at [4, 5)"));
}

TEST_F(LayoutTest, NamesTheHoleAtTheEnd) {
  layout_.put_zeros(file(10), 0, 9);
  EXPECT_THAT(mistake(), HasSubstr("nothing is put at [9, 10)"));
}

TEST_F(LayoutTest, NamesOverlaps) {
  const std::uint32_t out = file(10);
  layout_.put_zeros(out, 0, 6);
  layout_.put_zeros(out, 4, 6);
  EXPECT_THAT(mistake(), HasSubstr("two things are put at [4, 6)"));
}

TEST_F(LayoutTest, NamesTheWholeOfWhatLiesInsideAnotherThing) {
  const std::uint32_t out = file(10);
  layout_.put_zeros(out, 0, 10);
  layout_.put_zeros(out, 4, 2);
  EXPECT_THAT(mistake(), HasSubstr("two things are put at [4, 6)"));
}

TEST_F(LayoutTest, RefusesWhatLiesOutsideItsFile) {
  const std::uint32_t out = file(10);
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { layout_.put_zeros(out, 8, 3); }),
              HasSubstr("file0: 3 bytes at 8 lie outside its 10 bytes"));
  error_of(CKB_INVALID_ARGUMENT, [&] { layout_.put_zeros(out, 11, 0); });
  error_of(CKB_INVALID_ARGUMENT, [&] { layout_.put_zeros(out + 1, 0, 1); });
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { layout_.put_crc32(out, 0, 8, 3); }),
              HasSubstr("the checksum of 3 bytes at 8, outside its 10 bytes"));
  error_of(CKB_INVALID_ARGUMENT, [&] { layout_.put_crc32(out, 7, 0, 4); });
  layout_.put_zeros(out, 8, 2);
  layout_.put_zeros(out, 10, 0);
}

TEST_F(LayoutTest, RefusesTheSamePathTwiceAndSizesThatNoFileHas) {
  file(10);
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { layout_.add_file("file0", 1); }),
              HasSubstr("output file file0 is there already"));
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  error_of(CKB_INVALID_ARGUMENT, [&] { layout_.add_file("large", kLargest + 1); });
  layout_.add_file("large", kLargest);
  layout_.remove_file("large");
  EXPECT_EQ(layout_.files().size(), 1u);
  layout_.add_file("large", 1);
}

TEST_F(LayoutTest, JoinsEqualRangesOfChecksumsAndSortsThem) {
  const std::uint32_t out = file(30);
  layout_.put_zeros(out, 0, 18);
  layout_.put_crc32(out, 18, 10, 8);
  layout_.put_crc32(out, 22, 0, 10);
  layout_.put_crc32(out, 26, 10, 8);
  layout_.finish();
  const OutputFile& made = layout_.files()[0];
  ASSERT_EQ(made.checksums.size(), 2u);
  EXPECT_EQ(made.checksums[0].begin, 0u);
  EXPECT_EQ(made.checksums[1].begin, 10u);
  EXPECT_EQ(made.segments[1].index, 1u);
  EXPECT_EQ(made.segments[2].index, 0u);
  EXPECT_EQ(made.segments[3].index, 1u);
}

TEST_F(LayoutTest, NamesRangesOfChecksumsThatCross) {
  const std::uint32_t out = file(28);
  layout_.put_zeros(out, 0, 20);
  layout_.put_crc32(out, 20, 0, 11);
  layout_.put_crc32(out, 24, 10, 10);
  EXPECT_THAT(mistake(), HasSubstr("the checksum ranges [0, 11) and [10, 20) cross"));
}

TEST_F(LayoutTest, NamesAChecksumInsideARangeOfOne) {
  for (const std::uint64_t begin : {0, 5, 10, 13}) {
    Layout layout;
    const std::uint32_t out = layout.add_file("file", 24);
    layout.put_zeros(out, 0, 10);
    layout.put_crc32(out, 10, begin, 14 - begin);
    layout.put_zeros(out, 14, 10);
    EXPECT_THAT(error_of(CKB_INTERNAL, [&] { layout.finish(); }),
                HasSubstr("contains the checksum at 10"))
        << begin;
  }
}

TEST_F(LayoutTest, TakesAChecksumThatTouchesItsRange) {
  const std::uint32_t out = file(24);
  layout_.put_zeros(out, 0, 10);
  layout_.put_crc32(out, 10, 0, 10);
  layout_.put_crc32(out, 14, 18, 6);
  layout_.put_zeros(out, 18, 6);
  layout_.finish();
  EXPECT_EQ(layout_.files()[0].checksums.size(), 2u);
}

}  // namespace
}  // namespace ckptbridge
