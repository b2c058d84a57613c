#include "core/plan/file_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ckptbridge {
namespace {

using testing::ElementsAre;

TEST(FileGroups, HaveTheNumberOfTheirSmallestFile) {
  FileGroups groups;
  groups.add(5, 3, 10);
  groups.add(4, 6, 10);
  EXPECT_THAT(groups.numbers(64), ElementsAre(0, 1, 2, 3, 4, 3, 4));
}

TEST(FileGroups, JoinFilesOfAChainInAnyOrder) {
  FileGroups groups;
  groups.add(4, 5, 10);
  groups.add(2, 3, 10);
  groups.add(3, 4, 10);
  groups.add(1, 2, 10);
  EXPECT_THAT(groups.numbers(64), ElementsAre(0, 1, 1, 1, 1, 1));
}

TEST(FileGroups, HaveOneNumberWhereTheyWereJoinedPairByPair) {
  FileGroups groups;
  groups.add(5, 6, 40);
  groups.add(3, 5, 30);
  groups.add(1, 3, 20);
  EXPECT_THAT(groups.numbers(64), ElementsAre(0, 1, 2, 1, 4, 1, 1));
}

TEST(FileGroups, IgnoreWhatComesFromNoFileAndAFileBesideItself) {
  FileGroups groups;
  groups.add(0, 2, 10);
  groups.add(2, 0, 10);
  groups.add(1, 1, 10);
  EXPECT_THAT(groups.numbers(64), ElementsAre(0));
}

TEST(FileGroups, HoldSoManyFilesAndNotOneMore) {
  FileGroups groups;
  groups.add(1, 2, 30);
  groups.add(2, 3, 20);
  groups.add(3, 4, 10);
  EXPECT_THAT(groups.numbers(4), ElementsAre(0, 1, 1, 1, 1));
  EXPECT_THAT(groups.numbers(3), ElementsAre(0, 1, 1, 1, 4));
  EXPECT_THAT(groups.numbers(2), ElementsAre(0, 1, 1, 3, 3));
}

TEST(FileGroups, JoinThoseFirstThatShareMost) {
  FileGroups groups;
  groups.add(1, 2, 10);
  groups.add(2, 3, 6);
  groups.add(3, 2, 6);
  EXPECT_THAT(groups.numbers(2), ElementsAre(0, 1, 2, 2));
}

TEST(FileGroups, JoinTheSmallerFilesFirstThatShareAsMuch) {
  FileGroups groups;
  groups.add(3, 4, 10);
  groups.add(2, 3, 10);
  groups.add(1, 2, 10);
  EXPECT_THAT(groups.numbers(2), ElementsAre(0, 1, 1, 3, 3));
}

}  // namespace
}  // namespace ckptbridge
