// Every command in the pages for users is run: the `sh` blocks of a page, one after the other, in a
// folder that sees the test files of the sources.
#include <cstdlib>
#include <fstream>
#include <string>

#include <boost/filesystem/operations.hpp>
#include <gtest/gtest.h>

#include "core/text/printable.h"
#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// The lines between "```sh" and "```".
std::string commands_of(const fs::path& page) {
  std::ifstream file(page.string());
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside) {
      text += line + "\n";
    }
  }
  return text;
}

class GuidePage : public testing::TestWithParam<const char*> {};

TEST_P(GuidePage, HasCommandsThatWorkAsTheyStand) {
  const fs::path sources(paths::sources());
  const std::string commands = commands_of(sources / "cli/guide" / GetParam());
  ASSERT_NE(commands, "");
  const TempFolder folder;
  fs::create_symlink(sources / "tests", folder / "tests");
  folder.write("commands", "set -eu\n" + commands);
  const std::string program = fs::path(paths::command()).parent_path().string();
  const std::string line = "cd " + shell_quoted(folder.path().string()) +
                           " && PATH=" + shell_quoted(program) + ":$PATH sh commands >log 2>&1";
  EXPECT_EQ(std::system(line.c_str()), 0) << TempFolder::text_of(folder / "log");
}

INSTANTIATE_TEST_SUITE_P(Pages, GuidePage,
                         testing::Values("from_the_python_scripts.md", "on_a_cluster.md",
                                         "trusting_the_result.md"),
                         [](const auto& page) {
                           const std::string name = page.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace ckptbridge
