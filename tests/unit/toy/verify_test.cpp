// What reading an output back finds that the proof of coverage cannot.
#include "core/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Two ranks of a [2, 3] shard of "w", and of a replicated [3] "same".
void add_two_ranks(ToyRun& run) {
  const std::vector<float> same = {0.1f, 0.2f, 0.3f};
  for (int rank = 0; rank < 2; ++rank) {
    const std::string number = std::to_string(rank);
    const std::vector<float> part = {rank + 0.1f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f};
    run.file("w" + number, part).file("same" + number, same);
    run.tensor({{"name", "w"},
                {"file", "w" + number},
                {"dtype", "float32"},
                {"shape", {2, 3}},
                {"mp_rank", rank},
                {"mp_world_size", 2}});
    run.tensor({{"name", "same"},
                {"file", "same" + number},
                {"dtype", "float32"},
                {"shape", {3}},
                {"mp_rank", rank},
                {"mp_world_size", 2}});
  }
}

std::vector<std::string> lines_of(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const TensorDifference& difference : comparison.differences) {
    lines.push_back(difference_name(difference.kind) + ": " + line_of(difference));
  }
  return lines;
}

// What verify says of the output of a writer that makes this mistake.
std::vector<std::string> found_after(const std::string& mistake, const std::string& mp_size = "1") {
  ToyRun run;
  add_two_ranks(run);
  run.writer("toy.copier");
  const std::vector<OptionText> resharder = {{"dim", "0"}, {"mp-size", mp_size}};
  run.convert(resharder, {{"mistake", mistake}});
  const Comparison comparison = run.verify(resharder, {{"mistake", mistake}});
  return lines_of(comparison);
}

TEST(Verify, FindsNothingInWhatARightWriterWrote) {
  EXPECT_THAT(found_after("none"), IsEmpty());
  EXPECT_THAT(found_after("none", "4"), IsEmpty());
}

TEST(Verify, CountsWhatItCompared) {
  ToyRun run;
  add_two_ranks(run);
  run.writer("toy.copier").convert({{"dim", "0"}});
  const Comparison comparison = run.verify({{"dim", "0"}});
  EXPECT_EQ(comparison.tensors, 2u);
  EXPECT_EQ(comparison.bytes, 12u * 4 + 3 * 4);
}

TEST(Verify, FindsTensorsThatWereSwapped) {
  ToyRun run;
  run.file("a", counted(0, 3)).file("b", counted(0, 4)).file("c", counted(7, 3));
  run.tensor({{"name", "a"}, {"file", "a"}, {"shape", {3}}});
  run.tensor({{"name", "b"}, {"file", "b"}, {"shape", {4}}});
  run.tensor({{"name", "c"}, {"file", "c"}, {"shape", {3}}});
  run.writer("toy.copier").convert({}, {{"mistake", "swap"}});
  EXPECT_THAT(lines_of(run.verify()),
              ElementsAre("elements: a: 3 of 3 elements differ, first [0]: 0x0007 against 0x0000",
                          "elements: c: 3 of 3 elements differ, first [0]: 0x0000 against 0x0007"));
}

TEST(Verify, FindsATensorThatIsThereTwice) {
  ToyRun run;
  run.file("a", counted(0, 3)).file("c", counted(7, 3));
  run.tensor({{"name", "a"}, {"file", "a"}, {"shape", {3}}});
  run.tensor({{"name", "c"}, {"file", "c"}, {"shape", {3}}});
  run.writer("toy.copier").convert({}, {{"mistake", "repeat"}});
  EXPECT_THAT(lines_of(run.verify()),
              ElementsAre("elements: c: 3 of 3 elements differ, first [0]: 0x0000 against 0x0007"));
}

TEST(Verify, FindsOneElementThatDiffers) {
  EXPECT_THAT(found_after("flip"),
              ElementsAre(HasSubstr("elements: w: 1 of 12 elements differ, first [3, 2]: ")));
}

TEST(Verify, NamesTheRankWhereAnElementDiffers) {
  EXPECT_THAT(
      found_after("flip", "2"),
      ElementsAre(HasSubstr("elements: w, rank 0 of 2: 1 of 6 elements differ, first [1, 2]")));
}

TEST(Verify, FindsATensorThatWasTruncated) {
  EXPECT_THAT(found_after("truncate"),
              ElementsAre("form: w: [3, 3] of float32, expected [4, 3] of float32"));
}

TEST(Verify, FindsATensorThatWasForgotten) {
  EXPECT_THAT(found_after("forget"),
              ElementsAre("missing: w: missing, expected [4, 3] of float32"));
}

TEST(Verify, FindsElementsThatWereRounded) {
  EXPECT_THAT(found_after("round"), ElementsAre(HasSubstr("elements: w: 2 of 12 elements differ")));
}

TEST(Verify, FindsAByteThatChangedOnTheDisk) {
  ToyRun run;
  add_two_ranks(run);
  run.writer("toy.copier").convert({{"dim", "0"}});
  std::string bytes = run.output_bytes("same.0");
  bytes[5] ^= 0x10;
  run.write("out/same.0", bytes);
  EXPECT_THAT(lines_of(run.verify({{"dim", "0"}})),
              ElementsAre(HasSubstr("same: 1 of 3 elements differ, first [1]")));
}

TEST(Verify, SaysThatNothingReadsAFormat) {
  ToyRun run;
  add_two_ranks(run);
  run.convert({{"dim", "0"}});
  const Error error = thrown_by([&] { run.verify({{"dim", "0"}}); });
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("out: no reader knows this format"));
}

}  // namespace
}  // namespace ckptbridge
