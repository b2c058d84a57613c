#include "core/text/name_patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string_view> kNames = {"layers.0.w1", "layers.0.w2", "layers.10.w1",
                                              "norm/weight"};

std::string refusal(const std::string& pattern,
                    const std::vector<std::string_view>& names = kNames) {
  try {
    chosen_names(names, {pattern}, "--tensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
    return error.what();
  }
  return "none";
}

TEST(TensorChoice, IsAllNamesWithoutAPattern) {
  EXPECT_THAT(chosen_names(kNames, {}, "--tensors"), ElementsAre(0, 1, 2, 3));
}

TEST(TensorChoice, TakesEachNameOnceInTheOrderOfNames) {
  EXPECT_THAT(chosen_names(kNames, {"*.w1", "layers.0.*"}, "--tensors"), ElementsAre(0, 1, 2));
  EXPECT_THAT(chosen_names(kNames, {"layers.?.w2"}, "--tensors"), ElementsAre(1));
}

TEST(TensorChoice, HasStarsThatSpanSlashes) {
  EXPECT_THAT(chosen_names(kNames, {"norm*"}, "--tensors"), ElementsAre(3));
}

TEST(TensorChoice, OfAPatternThatFitsNoneNamesNearOnes) {
  EXPECT_EQ(
      refusal("layers.0.w3"),
      "--tensors: no tensor has the name layers.0.w3; near ones are layers.0.w1, layers.0.w2, "
      "layers.10.w1");
  EXPECT_THAT(refusal("*/wieght"), HasSubstr("near ones are norm/weight"));
  EXPECT_THAT(refusal("weight"), HasSubstr("near ones are norm/weight"));
}

TEST(TensorChoice, WithoutNearOnesSaysWhatThereIs) {
  EXPECT_THAT(refusal("optimizer.state"),
              HasSubstr("; the first of 4 names are layers.0.w1, layers.0.w2, layers.10.w1"));
  EXPECT_THAT(refusal("x", {}), HasSubstr("there is no tensor at all"));
}

TEST(TensorChoice, AmongHugeNamesTakesNoTimeToRefuse) {
  const std::string name(10'000'000, 'a');
  EXPECT_THAT(refusal(std::string(1000, 'b'), {name, "c"}), Not(HasSubstr("near ones")));
}

}  // namespace
}  // namespace ckptbridge
