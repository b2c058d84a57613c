#include "core/graph/storages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

class StoragesTest : public testing::Test {
 protected:
  StoragesTest() {
    add(2, 100, 50);
    add(2, 150, 50);
    add(3, 0, 10);
  }
  void add(ckb_file file, std::uint64_t offset, std::uint64_t size) {
    storages_.add(file, offset, size, "file");
  }
  // Where the storage begins that holds all of these bytes; -1 if there is none.
  std::int64_t holder(ckb_file file, std::uint64_t offset, std::uint64_t size) {
    const auto found = storages_.find(file, offset, size);
    return found == storages_.all().end() ? -1 : static_cast<std::int64_t>(found->first.second);
  }

  Storages storages_;
};

TEST_F(StoragesTest, AreFoundByAnyBytesInsideOfThem) {
  EXPECT_EQ(holder(2, 100, 50), 100);
  EXPECT_EQ(holder(2, 149, 1), 100);
  EXPECT_EQ(holder(2, 150, 1), 150);
  EXPECT_EQ(holder(2, 199, 1), 150);
}

TEST_F(StoragesTest, AreNotFoundByBytesOutsideOfThemOrOfTwo) {
  EXPECT_EQ(holder(2, 99, 1), -1);
  EXPECT_EQ(holder(2, 100, 51), -1);
  EXPECT_EQ(holder(2, 149, 2), -1);
  EXPECT_EQ(holder(2, 200, 1), -1);
  EXPECT_EQ(holder(1, 100, 1), -1);
  EXPECT_EQ(holder(3, 100, 1), -1);
  EXPECT_EQ(holder(4, 0, 1), -1);
}

TEST_F(StoragesTest, MayBeDeclaredAgainAndBeEmpty) {
  add(2, 100, 50);
  add(2, 120, 0);
  EXPECT_EQ(storages_.all().size(), 3u);
}

TEST_F(StoragesTest, MayTouchAndMayNotOverlap) {
  add(2, 99, 1);
  add(2, 200, 1);
  add(1, 100, 50);
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { add(2, 201, 1), add(2, 120, 1); }),
              HasSubstr("file: tensor data at [120, 121) overlaps that at [100, 150)"));
  for (const auto& [offset, size] : {std::pair{100, 49}, {100, 51}, {90, 10}, {0, 1000}, {98, 2}}) {
    error_of(CKB_CORRUPT, [&, at = offset, bytes = size] {
      add(2, static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(bytes));
    });
  }
}

}  // namespace
}  // namespace ckptbridge
