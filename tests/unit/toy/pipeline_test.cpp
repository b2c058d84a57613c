#include "core/pipeline.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes/crc32.h"
#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Two ranks of a [2, 3] shard each.
void add_two_ranks(ToyRun& run) {
  run.file("a", counted(0, 6)).file("b", counted(100, 6));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {2, 3}}, {"mp_world_size", 2}});
  run.tensor(
      {{"name", "w"}, {"file", "b"}, {"shape", {2, 3}}, {"mp_rank", 1}, {"mp_world_size", 2}});
}

TEST(Pipeline, JoinsTwoRanksAlongDimensionZero) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "0"}});
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105));
}

TEST(Pipeline, JoinsTwoRanksAlongDimensionOne) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "1"}});
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 2, 100, 101, 102, 3, 4, 5, 103, 104, 105));
}

TEST(Pipeline, SplitsIntoFourRanksAlongDimensionZero) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "0"}, {"mp-size", "4"}});
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 2));
  EXPECT_THAT(run.output("w.3"), ElementsAre(103, 104, 105));
}

TEST(Pipeline, SplitsIntoThreeRanksAlongDimensionOne) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "1"}, {"mp-size", "3"}});
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(run.output("w.1"), ElementsAre(2, 100, 5, 103));
  EXPECT_THAT(run.output("w.2"), ElementsAre(101, 102, 104, 105));
}

TEST(Pipeline, WritesATiedTensorUnderBothNames) {
  ToyRun run;
  run.file("a", counted(0, 4));
  run.tensor({{"name", "embedding"}, {"file", "a"}, {"shape", {4}}});
  run.tensor({{"name", "head"}, {"tied_to", "embedding"}, {"shape", {4}}});
  run.convert();
  EXPECT_EQ(run.output("embedding.0"), run.output("head.0"));
  EXPECT_THAT(run.output("head.0"), ElementsAre(0, 1, 2, 3));
}

TEST(Pipeline, FollowsTheStridesOfALeaf) {
  ToyRun run;
  run.file("a", counted(0, 12)).set("drop_untouched", "columns that no tensor uses");
  run.tensor({{"name", "w"}, {"file", "a"}, {"offset", 2}, {"shape", {3, 2}}, {"strides", {4, 2}}});
  const auto done = run.convert();
  EXPECT_THAT(run.output("w.0"), ElementsAre(1, 3, 5, 7, 9, 11));
  ASSERT_EQ(done->coverage.dropped.size(), 1u);
  EXPECT_EQ(done->coverage.dropped[0].reason, "columns that no tensor uses");
  EXPECT_EQ(done->coverage.dropped[0].bytes, 12u);
}

TEST(Pipeline, FollowsAPermutedLeaf) {
  ToyRun run;
  run.file("a", counted(0, 6));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {2, 3}}, {"permute", {1, 0}}});
  run.convert();
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Pipeline, CutsThePaddingOfAFlatLeaf) {
  ToyRun run;
  run.file("a", counted(0, 8));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {2, 3}}, {"flat", 8}});
  const auto done = run.convert();
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(done->coverage.used, 12u);
  ASSERT_EQ(done->coverage.dropped.size(), 1u);
  EXPECT_EQ(done->coverage.dropped[0].reason, "padding");
  EXPECT_EQ(done->coverage.dropped[0].bytes, 4u);
}

TEST(Pipeline, LetsViewsOfOneStorageOverlap) {
  ToyRun run;
  run.file("a", counted(0, 6));
  run.tensor({{"name", "left"}, {"file", "a"}, {"shape", {4}}});
  run.tensor({{"name", "right"}, {"file", "a"}, {"offset", 4}, {"shape", {4}}});
  const auto done = run.convert();
  EXPECT_THAT(run.output("left.0"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(run.output("right.0"), ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(done->coverage.used, 12u);
}

TEST(Pipeline, CastsOnTheWay) {
  ToyRun run;
  run.file("a", std::vector<float>{1.0f, -2.5f, 3.0e38f});
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {3}}, {"dtype", "float32"}});
  run.convert({{"cast", "bfloat16"}});
  EXPECT_THAT(run.output("w.0"), ElementsAre(0x3f80, 0xc020, 0x7f62));
}

TEST(Pipeline, WritesTheChecksumOfWhatItWrote) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "1"}});
  const std::string bytes = run.output_bytes("w.0");
  const std::string data = bytes.substr(0, bytes.size() - 4);
  std::uint32_t said = 0;
  std::memcpy(&said, bytes.data() + data.size(), 4);
  EXPECT_EQ(said, crc32(std::as_bytes(std::span(data))));
}

TEST(Pipeline, GivesTheSameBytesForAnyThreadsAndMemory) {
  std::vector<std::string> results;
  for (const auto& [threads, memory] :
       {std::pair(1u, 128u << 20), {2u, 128u << 20}, {7u, 128u << 20}, {1u, 400u << 10}}) {
    ToyRun run;
    std::vector<double> elements(1'000'003);
    std::iota(elements.begin(), elements.end(), 0.1);
    run.file("a", elements);
    run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {1'000'003}}, {"dtype", "float64"}});
    Settings settings;
    settings.reading.limits = {threads, memory};
    run.convert({{"cast", "float32"}}, {}, settings);
    results.push_back(run.output_bytes("w.0"));
    EXPECT_EQ(results.back(), results.front()) << threads << " threads, " << memory << " bytes";
  }
  EXPECT_EQ(results.front().size(), 4'000'016u);
}

TEST(Pipeline, ReadsEachByteOnceAndOpensEachFileOnce) {
  ToyRun run;
  run.file("a", counted(0, 50'000)).file("b", counted(7, 50'000));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {100, 500}}, {"mp_world_size", 2}});
  run.tensor(
      {{"name", "w"}, {"file", "b"}, {"shape", {100, 500}}, {"mp_rank", 1}, {"mp_world_size", 2}});
  const auto done = run.convert({{"dim", "1"}});
  EXPECT_EQ(done->source.arena->sources.opens(), 3u);  // toy.json, a, b
  EXPECT_EQ(done->source.arena->sources.bytes_read(),
            200'000u + done->source.arena->sources.size(1));
}

TEST(Pipeline, ReadsOnlyTheColumnsThatItKeeps) {
  ToyRun run;
  run.file("a", counted(0, 8 * 8192)).set("drop_untouched", "columns behind the first 128");
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {8, 128}}, {"strides", {8192, 1}}});
  const auto done = run.convert();
  EXPECT_EQ(done->source.arena->sources.bytes_read(),
            8u * 128 * 2 + done->source.arena->sources.size(1));
}

TEST(Pipeline, RefusesAMemoryBoundThatHoldsNoTask) {
  ToyRun run;
  add_two_ranks(run);
  Settings settings;
  settings.reading.limits = {1, 1000};
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}, {}, settings); });
  EXPECT_EQ(error.code(), CKB_MEMORY);
  EXPECT_THAT(error.what(), HasSubstr("--memory"));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Pipeline, StopsWhenTheUserAsksAndLeavesNothing) {
  ToyRun run;
  add_two_ranks(run);
  Settings settings;
  settings.reading.feedback.cancelled = [] { return true; };
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}, {}, settings); });
  EXPECT_EQ(error.code(), CKB_CANCELLED);
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Pipeline, NamesAStorageThatTheReaderForgot) {
  ToyRun run;
  run.file("a", counted(0, 4)).file("b", counted(0, 3));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {4}}});
  const Error error = thrown_by([&] { run.convert(); });
  EXPECT_THAT(error.what(), HasSubstr("b: 6 bytes of tensor data at [0, 6) belong to no tensor"));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Pipeline, NamesTheTensorThatATransformForgot) {
  ToyRun run;
  add_two_ranks(run);
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}, {"forget", "w"}}); });
  EXPECT_THAT(error.what(), HasSubstr("12 bytes of tensor data at [0, 12), of tensor w "
                                      "(model-parallel rank 0), are neither used"));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Pipeline, RefusesToDropAWholeStorageAsPadding) {
  ToyRun run;
  run.file("a", counted(0, 4)).file("b", counted(0, 3)).set("drop_untouched", "tails");
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {4}}});
  EXPECT_THAT(thrown_by([&] { run.convert(); }).what(), HasSubstr("no tensor touches the 6 bytes"));
}

TEST(Pipeline, NamesAHoleInALayout) {
  ToyRun run;
  add_two_ranks(run);
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}, {{"mistake", "hole"}}); });
  EXPECT_THAT(error.what(), HasSubstr("toy.writer: w.0: nothing is put at [24, 25)"));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Pipeline, NamesAnOverlapInALayout) {
  ToyRun run;
  add_two_ranks(run);
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}, {{"mistake", "overlap"}}); });
  EXPECT_THAT(error.what(), HasSubstr("toy.writer: w.0: two things are put at [23, 24)"));
}

TEST(Pipeline, RefusesAnOutputPathThatLeavesTheDestination) {
  ToyRun run;
  add_two_ranks(run);
  EXPECT_THAT(thrown_by([&] {
                run.convert({{"dim", "0"}}, {{"mistake", "escape"}});
              }).what(),
              HasSubstr("../outside"));
}

TEST(Pipeline, RefusesAnExtentBeyondItsStorage) {
  ToyRun run;
  run.file("a", counted(0, 4));
  run.tensor({{"name", "w"}, {"file", "a"}, {"shape", {5}}});
  const Error error = thrown_by([&] { run.convert(); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("[5] of uint16 at byte 0"));
}

TEST(Pipeline, RefusesAStorageBeyondItsFile) {
  ToyRun run;
  run.file("a", counted(0, 4), false).storage("a", 4, 8);
  EXPECT_THAT(thrown_by([&] { run.convert(); }).what(), HasSubstr("truncated"));
}

TEST(Pipeline, TurnsWhateverAPluginThrowsIntoAnError) {
  ToyRun run;
  const Error error = thrown_by([&] { run.convert({}, {}, {}, {{"throw", "true"}}); });
  EXPECT_EQ(error.code(), CKB_INTERNAL);
  EXPECT_STREQ(error.what(), "toy.reader: unknown exception");
}

TEST(Pipeline, KeepsWhatStandsAtTheDestination) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "0"}});
  const Error error = thrown_by([&] { run.convert({{"dim", "1"}}); });
  EXPECT_EQ(error.code(), CKB_EXISTS);
  EXPECT_THAT(run.output("w.0"), ElementsAre(0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105));
  EXPECT_THAT(run.left_behind(), ElementsAre("out"));
}

}  // namespace
}  // namespace ckptbridge
