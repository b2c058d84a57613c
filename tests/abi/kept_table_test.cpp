// The table of the host outlives the run in which a plugin got it.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin_host/loaded_plugin.h"
#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;

using Log = std::vector<std::string>;

HostServices services_to(Log& log) {
  return {.log = [&log](int, const std::string& message) { log.push_back(message); }};
}

class KeptTable : public testing::Test {
 protected:
  Plugin loaded_by(const Host& host) const { return Plugin(manifest_, host.table()); }

 private:
  Manifest manifest_ = parse_manifest(TempFolder::text_of(paths::keeper()),
                                      boost::filesystem::path(paths::keeper()));
};

TEST_F(KeptTable, LogsToTheRunThatBeganLast) {
  Log first_log;
  Log second_log;
  {
    const Host first(services_to(first_log));
    const Plugin keeper = loaded_by(first);
    keeper.probe("in the first run");
    {
      const Host second(services_to(second_log));
      keeper.probe("in the second run");
    }
    keeper.probe("in the first run again");
  }
  EXPECT_THAT(first_log, ElementsAre("in the first run", "in the first run again"));
  EXPECT_THAT(second_log, ElementsAre("in the second run"));
}

TEST_F(KeptTable, SpeaksToALaterRunAndToNobodyBetweenRuns) {
  Log log;
  const Plugin keeper = loaded_by(Host({.cancelled = [] { return true; }}));
  EXPECT_EQ(keeper.probe("between runs"), 0);
  const Host later({.log = services_to(log).log, .cancelled = [] { return true; }});
  EXPECT_EQ(keeper.probe("in a later run"), 1);
  EXPECT_THAT(log, ElementsAre("in a later run"));
}

TEST_F(KeptTable, IsTheSameForEachRun) { EXPECT_EQ(Host({}).table(), Host({}).table()); }

TEST_F(KeptTable, ServesAThreadOfThePluginWhileRunsComeAndGo) {
  const Plugin keeper = loaded_by(Host({}));
  keeper.probe("start");
  for (int i = 0; i < 100; ++i) {
    std::atomic<int> messages = 0;
    const Host run({.log = [&](int, const std::string&) { ++messages; },
                    .plugin_folder = [](const std::string& id) { return "/plugins/" + id; }});
    while (messages == 0) std::this_thread::yield();
  }
  keeper.probe("stop");
}

}  // namespace
}  // namespace ckptbridge
