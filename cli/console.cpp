#include "cli/console.h"

#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "cli/signals.h"
#include "core/words.h"

namespace ckptbridge::cli {
namespace {

void write_to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void print_text(const std::string& text) { fmt::print("{}", printable(text, true)); }

Console::Console(ProgressStyle style, bool verbose)
    : progress_(style, write_to_stderr, steady_seconds), verbose_(verbose) {}

Console::~Console() { progress_.clear(); }

Feedback Console::feedback() {
  Feedback feedback;
  feedback.progress = [this](const std::string& stage, std::uint64_t done, std::uint64_t total) {
    const std::scoped_lock lock(mutex_);
    progress_.update(stage, done, total);
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
