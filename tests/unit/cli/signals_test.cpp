#include "cli/terminal/signals.h"

#include <csignal>

#include <gtest/gtest.h>

namespace ckptbridge::cli {
namespace {

TEST(Signals, AreRememberedUntilTheWorkCanStop) {
  EXPECT_FALSE(stop_was_asked());
  watch_signals();
  std::raise(SIGTERM);
  EXPECT_TRUE(stop_was_asked());
}

TEST(Signals, EndTheProcessTheSecondTime) {
  EXPECT_EXIT(
      {
        watch_signals();
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace ckptbridge::cli
