// Standard error during a conversion: progress, and what the core and plugins log, in turns.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "cli/terminal/progress.h"
#include "core/execute/workers.h"

namespace ckptbridge::cli {

// A result for people, on standard output: names in it come from files, so what is not printable is
// escaped.
void print_text(const std::string& text);

// Whether standard error is a terminal on which a line can be redrawn.
bool has_terminal();

class Console {
 public:
  // verbose: what is less than a warning is printed too. The console must outlive what feedback()
  // and log() give.
  Console(ProgressStyle style, bool verbose);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Takes a bar away, so that a result can be printed.
  void clear();

  Feedback feedback();
  // [any-thread] A message that was printed before is not printed again.
  std::function<void(int level, const std::string& message)> log();

 private:
  std::mutex mutex_;
  ProgressPrinter progress_;
  std::set<std::string> logged_;
  bool verbose_;
};

}  // namespace ckptbridge::cli
