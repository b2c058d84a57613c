#include "cli/terminal/signals.h"

#include <atomic>
#include <csignal>

namespace ckptbridge::cli {
namespace {

// A handler gets no argument in which to leave its news.
std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // `ulimit -f`: the write fails instead, which is told, and what was made is cleared.
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
}

bool stop_was_asked() { return stop_asked; }

}  // namespace ckptbridge::cli
