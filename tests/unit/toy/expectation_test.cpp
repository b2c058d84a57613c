#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Expectations, CountReplicasThatAreEqualAsChecked) {
  ToyRun run;
  run.replicas("same", {{1, 2}, {1, 2}, {1, 2}});
  const auto done = run.convert({{"dim", "0"}});
  EXPECT_EQ(done->coverage.used, 8u);
  EXPECT_EQ(done->coverage.checked, 16u);
  EXPECT_THAT(run.output<float>("same.0"), ElementsAre(1, 2));
}

TEST(Expectations, FindASingleBitInALargeTensor) {
  std::vector<float> elements(1'500'000, 1.0f);
  auto other = elements;
  other[1'234'567] = -0.0f;
  ToyRun run;
  run.replicas("same", {elements, other});
  EXPECT_THAT(thrown_by([&] {
                run.convert({{"dim", "0"}});
              }).what(),
              HasSubstr("1 of 1,500,000 elements, first [1234567]: -0 against 1"));
}

TEST(Expectations, RefuseReplicasOfDifferentShapes) {
  ToyRun run;
  run.replicas("same", {{1, 2}, {1, 2, 3}});
  const Error error = thrown_by([&] { run.convert({{"dim", "0"}}); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("same: rank 1: [3] of float32 cannot equal [2] of float32"));
}

}  // namespace
}  // namespace ckptbridge
