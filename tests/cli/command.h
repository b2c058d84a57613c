// Runs the command and keeps what it printed.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/text/printable.h"
#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string golden(const std::string& name) {
  return std::string(paths::golden()) + "/" + name;
}

// environment: "NAME=value" words before the program. The exit code is -1 if a signal ended it.
inline Outcome command(const std::vector<std::string>& arguments,
                       const std::string& environment = "") {
  const TempFolder folder;
  std::string line = environment + " " + shell_quoted(paths::command());
  for (const auto& argument : arguments) line += " " + shell_quoted(argument);
  line += " >" + shell_quoted((folder / "out").string());
  line += " 2>" + shell_quoted((folder / "err").string());
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, TempFolder::text_of(folder / "out"),
          TempFolder::text_of(folder / "err")};
}

}  // namespace ckptbridge
