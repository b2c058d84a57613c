// How far a long run has come, for a person or for a program.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/execute/workers.h"

namespace ckptbridge::cli {

enum class ProgressStyle { kBar, kLines, kJson, kNone };

// --progress: "auto" is a bar on a terminal and lines elsewhere. Throws INVALID_ARGUMENT.
ProgressStyle parse_progress(const std::string& word, bool is_terminal);

class ProgressPrinter {
 public:
  // write gets whole pieces of text; seconds is a clock that never goes back.
  ProgressPrinter(ProgressStyle style, std::function<void(std::string_view)> write,
                  std::function<double()> seconds);

  // Prints as often as its style allows. A new stage begins where the name changes. columns: of the
  // terminal, into which a bar fits; 0: as it comes.
  void update(const Progress& progress, unsigned columns = 0);

  // Clears the bar, so that other text can be written.
  void clear();

 private:
  void print(double now);
  std::string bar(double now) const;
  std::string line(double now) const;
  std::string json(double now) const;
  std::uint64_t rate(double now) const;  // bytes per second in this stage

  ProgressStyle style_;
  std::function<void(std::string_view)> write_;
  std::function<double()> seconds_;
  Progress last_;
  unsigned columns_ = 0;
  double began_ = 0;    // this stage
  double printed_ = 0;  // the last time
  bool bar_is_shown_ = false;
};

}  // namespace ckptbridge::cli
