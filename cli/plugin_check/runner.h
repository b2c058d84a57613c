// Runs one test, in a process of its own so that a crash is a failed test.
#pragma once

#include <chrono>
#include <string>

#include "cli/plugin_check/tests.h"

namespace ckptbridge::plugin_check {

enum class Outcome : char { kPassed = 'p', kFailed = 'f', kSkipped = 's' };

struct Result {
  Outcome outcome = Outcome::kFailed;
  std::string message;
};

// In this process: for a debugger.
Result run_here(const TestCase& test, const Subject& subject);

// In a child; a signal that ends it, or the time limit, is a failure that says so.
Result run_apart(const TestCase& test, const Subject& subject, std::chrono::milliseconds limit);

}  // namespace ckptbridge::plugin_check
