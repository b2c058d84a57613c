// Files that would run something where pickles are programs.
#include <fstream>
#include <sstream>

#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;
using testing::Not;

// Names of the files in tests/golden/malicious, and what each names.
std::vector<std::pair<std::string, std::string>> malicious_files() {
  std::vector<std::pair<std::string, std::string>> result;
  std::ifstream in(golden("malicious/expected.txt"));
  for (std::string line; std::getline(in, line);) {
    const auto blank = line.find(' ');
    result.emplace_back(line.substr(0, blank), line.substr(blank + 1));
  }
  return result;
}

TEST(MaliciousPickle, IsNamedByInspectAndRunsNothing) {
  const auto files = malicious_files();
  ASSERT_GT(files.size(), 30u);
  for (const auto& [name, said] : files) {
    const auto outcome = command({"inspect", golden("malicious/" + name)});
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 3) << name << ": " << outcome.code;
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr(said)) << name;
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("\x1b"))) << name;
    EXPECT_FALSE(boost::filesystem::exists("pwned")) << name;
  }
}

// Each system call that starts a program or opens a connection, as strace saw it.
TEST(MaliciousPickle, StartsNoProgramAndOpensNoSocket) {
  if (std::system("strace -o /dev/null true 2>/dev/null") != 0) {
    GTEST_SKIP() << "strace cannot trace here";
  }
  const TempFolder folder;
  for (const auto& [name, said] : malicious_files()) {
    const std::string trace = (folder / "trace").string();
    const auto outcome = command(
        {"inspect", golden("malicious/" + name)},
        "strace -f -e trace=execve,execveat,fork,vfork,socket,connect -o " + shell_quoted(trace));
    std::istringstream lines(TempFolder::text_of(trace));
    std::vector<std::string> calls;
    for (std::string line; std::getline(lines, line);) {
      if (line.find('(') != std::string::npos) calls.push_back(line);
    }
    ASSERT_EQ(calls.size(), 1u) << name << ": " << testing::PrintToString(calls);
    EXPECT_THAT(calls[0], HasSubstr("execve(")) << name;
  }
}

}  // namespace
}  // namespace ckptbridge
