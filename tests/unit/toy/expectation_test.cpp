#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A replicated tensor on three ranks.
void add_replicas(ToyRun& run, const std::string& name,
                  const std::vector<std::vector<float>>& ranks) {
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::string file = name + std::to_string(rank);
    run.file(file, ranks[rank]);
    run.tensor({{"name", name},
                {"file", file},
                {"dtype", "float32"},
                {"shape", {ranks[rank].size()}},
                {"mp_rank", rank},
                {"mp_world_size", ranks.size()}});
  }
}

TEST(Expectations, CountReplicasThatAreEqualAsChecked) {
  ToyRun run;
  add_replicas(run, "same", {{1, 2}, {1, 2}, {1, 2}});
  const auto done = run.convert({{"dim", "0"}});
  EXPECT_EQ(done->coverage.used, 8u);
  EXPECT_EQ(done->coverage.checked, 16u);
  EXPECT_THAT(run.output<float>("same.0"), ElementsAre(1, 2));
}

TEST(Expectations, ListAllReplicasThatDifferAndWriteNothing) {
  ToyRun run;
  add_replicas(run, "same_a", {{1, 2, 3}, {1, 2, 3}, {1, 2.5, 4}});
  add_replicas(run, "same_b", {{5, 6}, {5, 6.25}, {5, 6}});
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("2 values that should be equal differ"));
  EXPECT_THAT(error.what(),
              HasSubstr("same_a: rank 2: 2 of 3 elements differ, first [1]: 2.5 against 2"));
  EXPECT_THAT(error.what(),
              HasSubstr("same_b: rank 1: 1 of 2 elements differ, first [1]: 6.25 against 6"));
  EXPECT_THAT(error.what(), Not(HasSubstr("same_a: rank 1")));
  EXPECT_THAT(run.left_behind(), IsEmpty());
}

TEST(Expectations, FindASingleBitInALargeTensor) {
  std::vector<float> elements(1'500'000, 1.0f);
  auto other = elements;
  other[1'234'567] = -0.0f;
  ToyRun run;
  add_replicas(run, "same", {elements, other});
  EXPECT_THAT(thrown_by([&] {
                run.convert({{"dim", "0"}});
              }).what(),
              HasSubstr("1 of 1500000 elements differ, first [1234567]: -0 against 1"));
}

TEST(Expectations, RefuseReplicasOfDifferentShapes) {
  ToyRun run;
  add_replicas(run, "same", {{1, 2}, {1, 2, 3}});
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("same: rank 1: [3] of float32 cannot equal [2] of float32"));
}

}  // namespace
}  // namespace ckptbridge
