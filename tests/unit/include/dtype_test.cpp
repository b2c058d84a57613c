#include "ckptbridge/dtype.hpp"

#include <gtest/gtest.h>

namespace ckptbridge {
namespace {

TEST(Dtype, HasTheNameThatPyTorchGivesIt) {
  EXPECT_EQ(dtype_name(kBFloat16), "bfloat16");
  EXPECT_EQ(dtype_name(kFloat8E4M3FN), "float8_e4m3fn");
}

TEST(Dtype, WithoutANameIsSpelledByItsNumbers) {
  EXPECT_EQ(dtype_name(Dtype{2, 8, 4}), "dtype(2,8,4)");
}

TEST(Dtype, IsFoundByItsName) {
  Dtype dtype{};
  EXPECT_TRUE(parse_dtype("float16", dtype));
  EXPECT_EQ(dtype, kFloat16);
  EXPECT_FALSE(parse_dtype("float17", dtype));
  EXPECT_EQ(dtype, kFloat16);
}

TEST(Dtype, WithElementsOfNoWholeBytesHasNoItemSize) {
  EXPECT_EQ(item_size(kComplex128), 16u);
  EXPECT_EQ(item_size(kBool), 1u);
  EXPECT_EQ(item_size(Dtype{0, 4, 1}), 0u);
}

}  // namespace
}  // namespace ckptbridge
