#include "cli/terminal/console.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "cli/terminal/signals.h"
#include "core/text/printable.h"

namespace ckptbridge::cli {
namespace {

void write_to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

// Columns of the terminal that standard error is, as it is now; 0: it is none, or does not say.
unsigned terminal_width() {
  struct winsize size {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

bool has_terminal() {
  const char* const kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

void print_text(const std::string& text) { fmt::print("{}", printable(text, true)); }

Console::Console(ProgressStyle style, bool verbose)
    : progress_(style, write_to_stderr, steady_seconds), verbose_(verbose) {}

Console::~Console() { progress_.clear(); }

void Console::clear() {
  const std::scoped_lock lock(mutex_);
  progress_.clear();
}

Feedback Console::feedback() {
  Feedback feedback;
  feedback.progress = [this](const Progress& progress) {
    const std::scoped_lock lock(mutex_);
    progress_.update(progress, terminal_width());
  };
  feedback.cancelled = stop_was_asked;
  return feedback;
}

std::function<void(int, const std::string&)> Console::log() {
  return [this](int level, const std::string& message) {
    constexpr int kWarning = 2;
    if (level < kWarning && !verbose_) return;
    const std::scoped_lock lock(mutex_);
    if (!logged_.insert(message).second) return;
    progress_.clear();
    write_to_stderr(fmt::format("{}{}\n", level < kWarning ? "" : "warning: ", printable(message)));
  };
}

}  // namespace ckptbridge::cli
