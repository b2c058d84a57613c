// torch-compute as the host uses it: loaded through the registry, fed with blocks.
#include <cmath>
#include <limits>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "core/plugin_host/compute_plugin.h"
#include "core/plugin_host/host.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

class TorchCompute : public testing::Test {
 protected:
  static SearchPath plugins() {
    SearchPath path;
    path.folders = {{paths::plugins(), Origin::kOption}};
    path.caller = path.installer = geteuid();
    return path;
  }

  Registry registry_{plugins()};
  Host host_{HostServices{}};
  Compute compute_{registry_, host_.table()};
};

TEST_F(TorchCompute, SummarisesBlockAfterBlock) {
  ckb_summary sum = kEmptySummary;
  compute_.summarise(kFloat32, bytes_of<float>({}), sum);
  compute_.summarise(kFloat32, bytes_of<float>({NAN, INFINITY}), sum);
  EXPECT_EQ(sum.min, 0);
  compute_.summarise(kFloat32, bytes_of<float>({3, 2.5, NAN}), sum);
  compute_.summarise(kFloat32, bytes_of<float>({7, -INFINITY}), sum);
  EXPECT_EQ(sum.count, 7u);
  EXPECT_EQ(sum.nan_count, 2u);
  EXPECT_EQ(sum.infinite_count, 2u);
  EXPECT_EQ(sum.min, 2.5);
  EXPECT_EQ(sum.max, 7);
}

TEST_F(TorchCompute, ComparesBlockAfterBlock) {
  ckb_comparison sum = kEmptyComparison;
  compute_.compare(kFloat64, bytes_of<double>({1, kNan, 0.0, kInfinity}), kFloat64,
                   bytes_of<double>({1, kNan, -0.0, kInfinity}), {}, sum);
  EXPECT_EQ(sum.differing, 0u);
  EXPECT_EQ(sum.beyond, 0u);
  compute_.compare(kFloat64, bytes_of<double>({5, 100, 2, kNan}), kFloat64,
                   bytes_of<double>({5, 101, 2.5, 1}), {0.02, 0.1}, sum);
  EXPECT_EQ(sum.count, 8u);
  EXPECT_EQ(sum.differing, 3u);
  EXPECT_EQ(sum.beyond, 2u);
  EXPECT_EQ(sum.first_beyond, 6u);
  EXPECT_EQ(sum.max_difference, 1);
  EXPECT_EQ(sum.max_at, 5u);
  EXPECT_EQ(sum.sum_difference, 1.5);
  EXPECT_EQ(sum.max_relative, 0.2);
  compute_.compare(kFloat64, bytes_of<double>({kInfinity, 1}), kFloat64,
                   bytes_of<double>({3, kInfinity}), {1, 1}, sum);
  EXPECT_EQ(sum.beyond, 4u);
  EXPECT_EQ(sum.first_beyond, 6u);
  EXPECT_EQ(sum.max_difference, 1);
}

TEST_F(TorchCompute, ToleratesAsMuchAsTheSecondValueAllows) {
  const auto beyond = [&](double first, double second, Tolerance tolerance) {
    ckb_comparison sum = kEmptyComparison;
    compute_.compare(kFloat64, bytes_of<double>({first}), kFloat64, bytes_of<double>({second}),
                     tolerance, sum);
    return sum.beyond;
  };
  EXPECT_EQ(beyond(1.5, 1, {0.5, 0}), 0u);
  EXPECT_EQ(beyond(1.5625, 1, {0.5, 0}), 1u);
  EXPECT_EQ(beyond(-1, -1.5, {0.25, 0.125}), 0u);
  EXPECT_EQ(beyond(-1, -1.5, {0.25, 0.0625}), 1u);
  EXPECT_EQ(beyond(0, 1, {0, 1}), 0u);
}

TEST_F(TorchCompute, ComparesElementsOfDifferentTypes) {
  ckb_comparison sum = kEmptyComparison;
  const std::vector<std::uint16_t> halves{0x3f80, 0x4000};  // 1 and 2 in bfloat16
  compute_.compare(kBFloat16, bytes_of(halves), kFloat32, bytes_of<float>({1, 2.0078125}),
                   {0.01, 0}, sum);
  EXPECT_EQ(sum.differing, 1u);
  EXPECT_EQ(sum.beyond, 0u);
  EXPECT_EQ(sum.max_difference, 0.0078125);
  EXPECT_EQ(sum.max_at, 1u);
}

TEST_F(TorchCompute, TellsIntegersApartThatFloat64CanNot) {
  ckb_comparison sum = kEmptyComparison;
  constexpr std::int64_t kLarge = std::int64_t{1} << 60;
  compute_.compare(kInt64, bytes_of<std::int64_t>({kLarge, 3}), kInt64,
                   bytes_of<std::int64_t>({kLarge + 1, 3}), {}, sum);
  EXPECT_EQ(sum.differing, 1u);
  EXPECT_EQ(sum.beyond, 1u);
  EXPECT_EQ(sum.first_beyond, 0u);
}

TEST_F(TorchCompute, CountsInEqualPartsAndAddsUp) {
  std::vector<std::uint64_t> counts(4);
  compute_.histogram(kFloat32, bytes_of<float>({0, 0.5, 1, 3.99f, 4, NAN, INFINITY, 9}), {0, 4},
                     counts);
  EXPECT_THAT(counts, ElementsAre(2, 1, 0, 2));
  compute_.histogram(kInt32, bytes_of<std::int32_t>({2, 2, -1}), {0, 4}, counts);
  EXPECT_THAT(counts, ElementsAre(2, 1, 2, 2));
  compute_.histogram(kFloat32, {}, {0, 4}, counts);
  EXPECT_THAT(counts, ElementsAre(2, 1, 2, 2));
}

TEST_F(TorchCompute, InterpolatesQuantilesOfTheFiniteValues) {
  const std::vector<double> fractions{0, 0.25, 0.5, 1};
  EXPECT_THAT(compute_.quantiles(kFloat32, bytes_of<float>({4, NAN, 1, INFINITY, 3, 2}), fractions),
              ElementsAre(DoubleEq(1), DoubleEq(1.75), DoubleEq(2.5), DoubleEq(4)));
  EXPECT_THAT(compute_.quantiles(kFloat32, bytes_of<float>({NAN}), fractions),
              ElementsAre(IsNan(), IsNan(), IsNan(), IsNan()));
}

TEST_F(TorchCompute, NamesATypeThatItCannotComputeWith) {
  ckb_summary sum = kEmptySummary;
  try {
    compute_.summarise(kComplex64, bytes_of<double>({1}), sum);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
    EXPECT_THAT(error.what(), HasSubstr("torch-compute: the installed libtorch does not compute "
                                        "with complex64"));
  }
  EXPECT_EQ(sum.count, 0u);
}

TEST_F(TorchCompute, ReadsFp8OrSaysThatThisLibtorchCanNot) {
  ckb_summary sum = kEmptySummary;
  const std::vector<std::uint8_t> values{0x38, 0xc0};  // 1 and -2 in float8_e4m3fn
  try {
    compute_.summarise(kFloat8E4M3FN, bytes_of(values), sum);
    EXPECT_EQ(sum.min, -2);
    EXPECT_EQ(sum.max, 1);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("does not compute with float8_e4m3fn"));
  }
}

TEST_F(TorchCompute, AnswersSeveralThreadsAtOnce) {
  const std::vector<double> values(100'000, 2);
  std::vector<ckb_summary> sums(4, kEmptySummary);
  {
    std::vector<std::jthread> threads;
    for (ckb_summary& sum : sums) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) compute_.summarise(kFloat64, bytes_of(values), sum);
      });
    }
  }
  for (const ckb_summary& sum : sums) {
    EXPECT_EQ(sum.count, 2'000'000u);
    EXPECT_EQ(sum.max, 2);
  }
}

}  // namespace
}  // namespace ckptbridge
