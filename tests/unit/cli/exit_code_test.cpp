#include "cli/terminal/exit_code.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::cli {
namespace {

using testing::HasSubstr;

// A page of the sources, as one line.
std::string page(const std::string& name) {
  std::string text = TempFolder::text_of(std::string(paths::sources()) + "/" + name);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

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

TEST(ExitCode, HasAWordForEachWayToFail) {
  EXPECT_STREQ(status_word(CKB_CORRUPT), "corrupt");
  EXPECT_STREQ(status_word(12345), "internal");
  std::set<int> codes;
  for (const ExitCode& row : exit_codes()) codes.insert(row.code);
  for (const Failure& row : failures()) EXPECT_EQ(codes.count(row.code), 1u) << row.word;
}

TEST(ExitCode, IsToldByThePagesForUsersAsByTheTable) {
  EXPECT_THAT(page("README.md"), HasSubstr("Exit codes: " + exit_codes_text() + " (the same"));
  const std::string guide = page("cli/guide/on_a_cluster.md");
  for (const ExitCode& row : exit_codes()) {
    EXPECT_THAT(guide, HasSubstr(fmt::format("| {} | {} |", row.code, row.meaning)));
  }
  std::string words;  // grouped by code
  int before = 0;
  for (const Failure& row : failures()) {
    if (row.code != before && before != 0) {
      words += fmt::format(" ({}{})", before == 2 ? "exit code " : "", before);
    }
    words += fmt::format("{}`{}`", words.empty() ? "" : ", ", row.word);
    before = row.code;
  }
  EXPECT_THAT(page("cli/README.md"), HasSubstr(fmt::format("| {} ({}) |", words, before)));
}

}  // namespace
}  // namespace ckptbridge::cli
