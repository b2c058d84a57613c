// Runs that are stopped or killed at moments that nobody chose, and resumed.
#include <random>

#include <gmock/gmock.h>

#include "tests/faults/nemo_run.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Many tasks, and a checkpoint after every few.
const std::vector<std::string> kManySteps = {"--memory=384KiB", "--checkpoint=100KiB"};

std::vector<std::string> with(std::vector<std::string> words, const std::string& more) {
  words.push_back(more);
  return words;
}

class Interrupted : public NemoRun, public testing::WithParamInterface<int> {};

TEST_P(Interrupted, RunIsKeptAndGoesOn) {
  const Tree whole = expected();
  const pid_t child = run_.start(words(kManySteps), "slow:100");
  wait_until_there(folder_ / "out.ckptbridge-partial/journal");
  ::usleep(500'000);
  ::kill(child, GetParam());
  const Ended ended = run_.wait(child);
  EXPECT_EQ(ended.code, 75) << ended.err;
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("stopped as asked"), HasSubstr("are made"), HasSubstr("--resume")));
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_THAT(left(), ElementsAre("out.ckptbridge-partial"));
  EXPECT_FALSE(fs::exists(folder_ / "out.ckptbridge-partial/lock"));

  const Ended refused = run_.run(words(kManySteps));
  EXPECT_EQ(refused.code, 5);
  EXPECT_THAT(refused.err, HasSubstr("with --resume goes on"));

  const Ended resumed = run_.run(words({"--resume", "--threads=2"}));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(tree_of(out()) == whole);
  EXPECT_THAT(left(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(By, Interrupted, testing::Values(SIGINT, SIGTERM),
                         [](const auto& test) { return test.param == SIGINT ? "Int" : "Term"; });

class Killed : public NemoRun {};

TEST_F(Killed, AtRandomMomentsRunsEndInTheSameOutput) {
  const Tree whole = expected();
  // Two threads and no shim: as users run it.
  auto arguments = words(kManySteps);
  arguments.push_back("--threads=2");
  const auto began = std::chrono::steady_clock::now();
  const fs::path err = folder_ / "err";
  ASSERT_EQ(wait_for(start_command(arguments, err), err).code, 0);
  const auto takes = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - began)
                         .count();
  std::mt19937 random(20261124);
  int killed = 0;
  for (int round = 0; round < 40; ++round) {
    fs::remove_all(out());
    bool done = false;
    // Killed until it once comes through, with ever more time.
    for (int attempt = 1; !done; ++attempt) {
      const pid_t child =
          start_command(attempt == 1 ? arguments : with(arguments, "--resume"), err);
      ::usleep(static_cast<useconds_t>(random() % static_cast<unsigned>(takes) * attempt / 2));
      ::kill(child, SIGKILL);
      const Ended ended = wait_for(child, err);
      done = ended.code == 0;
      ASSERT_TRUE(done || ended.signal == SIGKILL) << ended.err;
      killed += ended.signal == SIGKILL ? 1 : 0;
      const Tree now = tree_of(out());
      ASSERT_TRUE(now == whole || (!done && now.empty()));
    }
    fs::remove(err);
    ASSERT_EQ(wait_for(start_command(with(arguments, "--resume"), err), err).code, 0);
    fs::remove(err);
    ASSERT_THAT(left(), IsEmpty());
  }
  EXPECT_GT(killed, 20);
}

}  // namespace
}  // namespace ckptbridge
