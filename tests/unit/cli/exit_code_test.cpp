#include "cli/terminal/exit_code.h"

#include <gtest/gtest.h>

namespace ckptbridge::cli {
namespace {

TEST(ExitCode, TellsWhatKindOfThingWentWrong) {
  EXPECT_EQ(exit_code(CKB_OK), 0);
  EXPECT_EQ(exit_code(CKB_INTERNAL), 1);
  EXPECT_EQ(exit_code(CKB_INVALID_ARGUMENT), 2);
  EXPECT_EQ(exit_code(CKB_NOT_FOUND), 3);
  EXPECT_EQ(exit_code(CKB_CORRUPT), 3);
  EXPECT_EQ(exit_code(CKB_UNSUPPORTED), 3);
  EXPECT_EQ(exit_code(CKB_EXISTS), 5);
  EXPECT_EQ(exit_code(CKB_IO), 6);
  EXPECT_EQ(exit_code(CKB_MEMORY), 7);
  EXPECT_EQ(exit_code(CKB_CANCELLED), 75);
  EXPECT_EQ(exit_code(12345), 1);
}

}  // namespace
}  // namespace ckptbridge::cli
