// Checkpoints that are compared by value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/diff.h"
#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A checkpoint of two tensors of float32.
ToyRun& checkpoint(ToyRun& run, std::vector<float> a, std::vector<float> b) {
  run.replicas("a", {std::move(a)}).replicas("b", {std::move(b)});
  run.plan();
  return run;
}

Diff diff_of(const ToyRun& a, const ToyRun& b, const std::optional<Tolerance>& tolerance,
             const Limits& limits = {}) {
  ReadSettings settings;
  settings.limits = limits;
  return diff(a.registry(), {a.folder() / "in", {}, "", "", {}},
              {b.folder() / "in", {}, "", "", {}}, settings, tolerance);
}

TEST(Tolerance, CountsAsEqualWhatIsNearEnough) {
  ToyRun a(/*with_compute=*/true);
  ToyRun b(/*with_compute=*/true);
  checkpoint(a, {1, 2, 4}, {8, 8});
  checkpoint(b, {1, 2.25, 4.5}, {8, 8});
  const Comparison comparison = diff_of(a, b, Tolerance{0.125, 0}).comparison;
  EXPECT_THAT(comparison.differences, IsEmpty());
  ASSERT_EQ(comparison.within_tolerance.size(), 1u);
  EXPECT_EQ(line_of(comparison.within_tolerance[0]),
            "a: 2 of 3 elements differ; largest difference 0.5 at [2], relative 0.125, mean 0.25");
  EXPECT_EQ(comparison.tensors, 2u);
  EXPECT_EQ(comparison.bytes, 20u);
}

TEST(Tolerance, NamesTheFirstElementThatIsTooFarAway) {
  ToyRun a(/*with_compute=*/true);
  ToyRun b(/*with_compute=*/true);
  checkpoint(a, {1, 2, 4, 0}, {8});
  checkpoint(b, {1, 2.5, 4.25, 2}, {8});
  const Comparison comparison = diff_of(a, b, Tolerance{0.125, 0.125}).comparison;
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(line_of(comparison.differences[0]),
            "a: 3 of 4 elements differ, 2 beyond the tolerance, first [1]; largest difference 2 at "
            "[3], relative 0.25, mean 0.6875");
  EXPECT_EQ(comparison.differences[0].numbers->beyond, 2u);
}

TEST(Tolerance, AddsUpOverBlocksOfWhateverSize) {
  std::vector<float> values(200'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  std::vector<float> others = values;
  for (const std::size_t i : {5u, 70'000u, 199'999u}) others[i] += 0.5F;
  others[150'000] += 64;
  ToyRun a(/*with_compute=*/true);
  ToyRun b(/*with_compute=*/true);
  checkpoint(a, values, {});
  checkpoint(b, others, {});
  for (const Limits& limits : {Limits{}, Limits{4, 256u << 10}}) {
    const Comparison comparison = diff_of(a, b, Tolerance{0, 1}, limits).comparison;
    ASSERT_EQ(comparison.differences.size(), 1u);
    EXPECT_EQ(line_of(comparison.differences[0]),
              "a: 4 of 200,000 elements differ, 1 beyond the tolerance, first [150000]; largest "
              "difference 64 at [150000], relative 0.1, mean 0.0003275");
  }
}

TEST(Tolerance, StillListsMissingAndMisshapenTensors) {
  ToyRun a(/*with_compute=*/true);
  ToyRun b(/*with_compute=*/true);
  checkpoint(a, {1, 2}, {3});
  b.replicas("a", {{1, 2, 3}});
  b.plan();
  const Comparison comparison = diff_of(a, b, Tolerance{1, 1}).comparison;
  std::vector<std::string> lines;
  for (const auto& difference : comparison.differences) lines.push_back(line_of(difference));
  EXPECT_THAT(lines, ElementsAre("a: [3] of float32, expected [2] of float32",
                                 "b: missing, expected [1] of float32"));
}

TEST(Tolerance, NeedsEqualBytesOfTypesThatNothingComputesWith) {
  ToyRun a(/*with_compute=*/true);
  ToyRun b(/*with_compute=*/true);
  for (ToyRun* run : {&a, &b}) {
    run->file("same", counted(1, 3)).tensor({{"name", "same"}, {"file", "same"}, {"shape", {3}}});
    run->file("other", counted(run == &a ? 1 : 2, 3));
    run->tensor({{"name", "other"}, {"file", "other"}, {"shape", {3}}});
    run->plan();
  }
  const Comparison comparison = diff_of(a, b, Tolerance{10, 10}).comparison;
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(line_of(comparison.differences[0]),
            "other: bytes differ, and have no tolerance: toy.compute: only float32 here");
}

TEST(Tolerance, SaysWhatToInstallWhereNothingComputes) {
  ToyRun a;
  ToyRun b;
  checkpoint(a, {1}, {});
  checkpoint(b, {1}, {});
  const Error error = thrown_by([&] { diff_of(a, b, Tolerance{1, 1}); });
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("install the package ckptbridge-torch"));
  EXPECT_THAT(diff_of(a, b, {}).comparison.differences, IsEmpty());
}

}  // namespace
}  // namespace ckptbridge
