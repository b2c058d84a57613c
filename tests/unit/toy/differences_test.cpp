// What users are told of replicas that differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Two tensors that differ on three ranks, and one that does not.
ToyRun& add_differing(ToyRun& run) {
  return run.replicas("same_a", {{1, 2, 3}, {1, 2, 3}, {1, 2.5, 4}})
      .replicas("same_b", {{5, 6}, {5, 6.25}, {5.5, 6}})
      .replicas("same_c", {{7}, {7}, {7}});
}

Settings explaining() {
  Settings settings;
  settings.explain = true;
  return settings;
}

TEST(Differences, NameTheFirstAndCountTheOthersAndWriteNothing) {
  ToyRun run;
  add_differing(run);
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_STREQ(error.what(),
               "toy.resharder: 2 replicated tensors differ (same_a: rank 2, 2 of 3 elements, "
               "first [1]: 2.5 against 2; 2 more with --verbose); --warn takes rank 0");
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Differences, AreAllListedWithStatisticsWhenAsked) {
  ToyRun run(/*with_compute=*/true);
  add_differing(run);
  const std::string text = thrown_by([&] { run.convert({{"dim", "0"}}, {}, explaining()); }).what();
  EXPECT_THAT(text, StartsWith("toy.resharder: 2 replicated tensors differ\n"
                               "  same_a: rank 2, 2 of 3 elements, first [1]: 2.5 against 2\n"
                               "    kept  min 1, quartiles 1 2 2, max 3\n"
                               "    other min 1, quartiles 1 2.5 2.5, max 4\n"
                               "    largest difference 1 at [2]\n"
                               "    in 100 parts from 1 to 4:\n"
                               "    kept  1 0 0"));
  EXPECT_THAT(text,
              AllOf(HasSubstr("\n  same_b: rank 1, 1 of 2 elements, first [1]: 6.25 against"),
                    HasSubstr("\n  same_b: rank 2, 1 of 2 elements, first [0]: 5.5 against")));
  EXPECT_THAT(text, EndsWith("\n--warn takes rank 0"));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Differences, SayWhatToInstallWhereNothingComputes) {
  ToyRun run;
  add_differing(run);
  const std::string text = thrown_by([&] { run.convert({{"dim", "0"}}, {}, explaining()); }).what();
  EXPECT_THAT(text, AllOf(HasSubstr("same_b: rank 2"), HasSubstr("ckptbridge-torch")));
}

TEST(Differences, SayWhatThePluginCanNotComputeWith) {
  ToyRun run(/*with_compute=*/true);
  for (const std::string rank : {"0", "1"}) {
    run.file("same" + rank, counted(rank == "0" ? 1 : 2, 2))
        .tensor({{"name", "same"},
                 {"file", "same" + rank},
                 {"shape", {2}},
                 {"mp_world_size", 2},
                 {"mp_rank", std::stoi(rank)}});
  }
  EXPECT_THAT(
      thrown_by([&] {
        run.convert({{"dim", "0"}}, {}, explaining());
      }).what(),
      HasSubstr("0x0002 against 0x0001\n    no statistics: toy.compute: only float32 here"));
}

TEST(Differences, AreWarningsWhereThePluginOnlyWarns) {
  ToyRun run;
  add_differing(run);
  const auto done = run.convert({{"warn", std::nullopt}});
  EXPECT_THAT(done->outcome.warnings,
              ElementsAre("differs: same_a: rank 2, 2 of 3 elements, first [1]: 2.5 against 2",
                          "differs: same_b: rank 1, 1 of 2 elements, first [1]: 6.25 against 6",
                          "differs: same_b: rank 2, 1 of 2 elements, first [0]: 5.5 against 5"));
  EXPECT_THAT(run.output<float>("same_a.0"), ElementsAre(1, 2, 3));
}

TEST(Differences, OfWhatIsLeftOutOnlyWarn) {
  ToyRun run;
  run.replicas("same_a", {{1}, {2}, {3}}).replicas("same_b", {{4}, {4}, {4}});
  const auto done = run.convert({{"drop", "same_a"}});
  EXPECT_THAT(done->outcome.warnings,
              ElementsAre("left out of the output, 1 replicated tensor differs (same_a: rank 1, 1 "
                          "of 1 elements, first [0]: 2 against 1; 1 more with --verbose)"));
}

TEST(Differences, TakeASampleOfALargeTensorForItsQuartiles) {
  std::vector<float> elements(1'000'000);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(i);
  auto other = elements;
  other[999'999] = -3;
  ToyRun run(/*with_compute=*/true);
  run.replicas("same", {elements, other});
  const std::string text = thrown_by([&] { run.convert({{"dim", "0"}}, {}, explaining()); }).what();
  EXPECT_THAT(text, HasSubstr("kept  min 0, quartiles 249995 499995 749995, max 999999\n"
                              "    other min -3, quartiles 249995 499995 749995, max 999998\n"
                              "    quartiles are of every 5th element\n"
                              "    largest difference 1e+06 at [999999]\n"));
}

}  // namespace
}  // namespace ckptbridge
