#include "core/execute/workers.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

// A worker that moves no bytes.
template <class Work>
auto worker(Work work) {
  return [work] {
    return [work](std::uint64_t number) {
      work(number);
      return std::uint64_t{0};
    };
  };
}

TEST(Workers, GetEachNumberOnce) {
  std::vector<std::atomic<int>> counts(1000);
  run_workers(4, counts.size(), worker([&](std::uint64_t number) { ++counts[number]; }), "check", 0,
              {});
  for (const auto& count : counts) EXPECT_EQ(count, 1);
}

TEST(Workers, StopAtTheFirstErrorWhichIsThrown) {
  std::atomic<std::uint64_t> begun = 0;
  const Error error = thrown_by([&] {
    run_workers(2, UINT64_MAX, worker([&](std::uint64_t number) {
                  ++begun;
                  if (number == 10) throw Error(CKB_CORRUPT, "the eleventh is wrong");
                }),
                "check", 0, {});
  });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_GE(begun, 11u);
}

TEST(Workers, TellTheUserWhoseBytesWereBegunLast) {
  std::atomic<bool> is_told = false;
  std::set<std::string> names;
  Feedback feedback;
  feedback.progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.stage, "check");
    if (!progress.tensor.empty()) names.insert(progress.tensor);
    is_told = true;
  };
  // The second piece of work ends when the user has been told of it.
  const auto wait = [&](std::uint64_t number) {
    while (number == 1 && !is_told) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  run_workers(1, 2, worker(wait), "check", 0, feedback,
              [](std::uint64_t number) { return "tensor " + std::to_string(number); });
  EXPECT_THAT(names, testing::ElementsAre("tensor 1"));
}

TEST(Workers, EndWhereTheUserWantsToStop) {
  Feedback feedback;
  std::atomic<bool> has_begun = false;
  feedback.cancelled = [&] { return has_begun.load(); };
  const Error error = thrown_by([&] {
    run_workers(1, UINT64_MAX, worker([&](std::uint64_t) { has_begun = true; }), "check", 0,
                feedback);
  });
  EXPECT_EQ(error.code(), CKB_CANCELLED);
  EXPECT_THAT(error.what(), HasSubstr("stopped as asked"));
}

}  // namespace
}  // namespace ckptbridge
