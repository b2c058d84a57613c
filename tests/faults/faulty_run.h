// Runs the command with a fault (shim.cpp) in one of its system calls on the disk.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/filesystem.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

// A system call that the shim counted; the path is relative to the watched folder, and begins with
// a slash.
struct Call {
  std::string name;
  std::string path;
};

struct Ended {
  int code = -1;  // -1 if a signal ended it
  int signal = 0;
  std::string err;  // what it said on standard error
};

// Each file's content and each folder (its path ends in a slash) at and below `path`, relative to
// it; empty if nothing is there.
using Tree = std::map<std::string, std::string>;
inline Tree tree_of(const boost::filesystem::path& path) {
  Tree tree;
  if (!boost::filesystem::exists(path)) return tree;
  for (const std::string& name : TempFolder::tree_of(path)) {
    tree[name] = name.back() == '/' ? "" : TempFolder::text_of(path / name);
  }
  tree["./"] = "";
  return tree;
}

// Starts the command, or another program if the first word is a path; `environment` is added to
// ours, as "NAME=value".
inline pid_t start_command(const std::vector<std::string>& arguments,
                           const boost::filesystem::path& err,
                           const std::vector<std::string>& environment = {}) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (const std::string& setting : environment) {
    const size_t equals = setting.find('=');
    ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
  }
  const int nothing = ::open("/dev/null", O_RDWR);
  const int said = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(said, STDERR_FILENO);
  const bool is_other = arguments[0][0] == '/';
  std::vector<char*> words;
  if (!is_other) words.push_back(const_cast<char*>(paths::command()));
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  ::_exit(127);
}

inline Ended wait_for(pid_t child, const boost::filesystem::path& err) {
  int status = 0;
  ::waitpid(child, &status, 0);
  Ended ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.err = TempFolder::text_of(err);
  return ended;
}

class FaultyRun {
 public:
  // Calls on paths below `watched` count.
  explicit FaultyRun(const boost::filesystem::path& watched) : watched_(watched.string()) {}

  // fault: "KIND:NUMBER" as of shim.cpp; "" for none.
  Ended run(const std::vector<std::string>& arguments, const std::string& fault = "") const {
    return wait(start(arguments, fault));
  }
  pid_t start(const std::vector<std::string>& arguments, const std::string& fault = "") const {
    boost::filesystem::remove(own_ / "log");
    return start_command(
        arguments, own_ / "err",
        {std::string("LD_PRELOAD=") + paths::fault_shim(), "CKPTBRIDGE_FAULT_BELOW=" + watched_,
         "CKPTBRIDGE_FAULT_LOG=" + (own_ / "log").string(), "CKPTBRIDGE_FAULT=" + fault});
  }
  Ended wait(pid_t child) const { return wait_for(child, own_ / "err"); }

  // The calls of the last run, in order.
  std::vector<Call> calls() const {
    std::istringstream lines(TempFolder::text_of(own_ / "log"));
    std::vector<Call> calls;
    Call call;
    while (lines >> call.name && std::getline(lines, call.path)) {
      call.path.erase(0, 1);
      calls.push_back(call);
    }
    return calls;
  }

 private:
  TempFolder own_;
  std::string watched_;
};

}  // namespace ckptbridge
