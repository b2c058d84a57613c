#include "core/plan/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint64_t kLittle = 4096;  // bytes of a small storage that may be left out silently

// Source files of which each is one storage.
class CoverageTest : public testing::Test {
 protected:
  void sources(ckb_file files, std::uint64_t bytes) {
    run_ = std::make_unique<ExecuteRun>(files, bytes / 2);
    read_ = std::make_unique<Graph>(run_->arena);
    for (ckb_file file = 1; file <= files; ++file) read_->add_storage(file, 0, bytes);
  }
  ckb_node words(ckb_file file, std::uint64_t begin, std::uint64_t end) {
    const std::int64_t shape[] = {static_cast<std::int64_t>(end - begin) / 2};
    return read_->add_extent(file, begin, kFloat16, shape, {});
  }
  void add_object(const std::string& name, ckb_node storage) {
    Object object;
    object.name = name;
    object.kind = "json";
    object.storages = {storage};
    read_->add_object(object);
  }
  void use(ckb_node value) { run_->put("out" + std::to_string(outputs_++), value); }
  Coverage cover() {
    run_->layout.finish();
    return require_coverage(*read_, run_->layout);
  }

  std::unique_ptr<ExecuteRun> run_;
  std::unique_ptr<Graph> read_;
  int outputs_ = 0;
};

TEST_F(CoverageTest, CountsBytesThatAreUsedOnceHoweverOften) {
  sources(1, 1000);
  use(words(1, 0, 1000));
  use(words(1, 200, 400));
  const Coverage coverage = cover();
  EXPECT_EQ(coverage.declared, 1000u);
  EXPECT_EQ(coverage.used, 1000u);
  EXPECT_EQ(coverage.checked, 0u);
}

TEST_F(CoverageTest, CountsWhatIsUsedAndCheckedAsUsed) {
  sources(2, 1000);
  use(words(1, 0, 1000));
  read_->expect_equal(words(1, 0, 1000), words(2, 0, 1000), "w", false);
  const Coverage coverage = cover();
  EXPECT_EQ(coverage.used, 1000u);
  EXPECT_EQ(coverage.checked, 1000u);
}

TEST_F(CoverageTest, CountsDroppedBytesUnderTheirFirstReasonAndNotWhereTheyAreUsed) {
  sources(1, 1000);
  use(words(1, 0, 400));
  read_->drop(words(1, 300, 700), "first");
  read_->drop(words(1, 600, 1000), "second");
  read_->drop(words(1, 900, 1000), "first");
  const Coverage coverage = cover();
  EXPECT_EQ(coverage.used, 400u);
  ASSERT_EQ(coverage.dropped.size(), 2u);
  EXPECT_EQ(coverage.dropped[0].reason, "first");
  EXPECT_EQ(coverage.dropped[0].values, 2u);
  EXPECT_EQ(coverage.dropped[0].bytes, 400u);
  EXPECT_EQ(coverage.dropped[1].reason, "second");
  EXPECT_EQ(coverage.dropped[1].values, 1u);
  EXPECT_EQ(coverage.dropped[1].bytes, 200u);
}

TEST_F(CoverageTest, CountsTheStoragesOfDroppedObjectsThatHaveElements) {
  sources(1, 1000);
  use(words(1, 0, 400));
  add_object("state", words(1, 400, 1000));
  add_object("empty", words(1, 400, 400));
  read_->drop_object("state", "state");
  read_->drop_object("empty", "nothing");
  const Coverage coverage = cover();
  ASSERT_EQ(coverage.dropped.size(), 1u);
  EXPECT_EQ(coverage.dropped[0].reason, "state");
  EXPECT_EQ(coverage.dropped[0].values, 1u);
  EXPECT_EQ(coverage.dropped[0].bytes, 600u);
}

TEST_F(CoverageTest, NamesTheFirstBytesThatNothingAccountsFor) {
  sources(1, 1000);
  use(words(1, 0, 300));
  use(words(1, 302, 600));
  use(words(1, 700, 1000));
  read_->add_tensor({.name = "w", .role = "param", .value = words(1, 300, 700)});
  const Error error = thrown_by([&] { cover(); });
  EXPECT_EQ(error.code(), CKB_INTERNAL);
  EXPECT_THAT(error.what(), HasSubstr("102 bytes of tensor data at [300, 302), of tensor w"));
}

TEST_F(CoverageTest, NamesNoTensorThatEndsBeforeTheMissingBytesOrBeginsBehindThem) {
  sources(1, 1000);
  use(words(1, 0, 300));
  use(words(1, 400, 1000));
  read_->add_tensor({.name = "before", .role = "param", .value = words(1, 0, 300)});
  read_->add_tensor({.name = "behind", .role = "param", .value = words(1, 400, 1000)});
  EXPECT_STREQ(thrown_by([&] { cover(); }).what(),
               (run_->arena.sources.name(1) +
                ": 100 bytes of tensor data at [300, 400) are neither used nor checked nor dropped "
                "with a reason")
                   .c_str());
}

TEST_F(CoverageTest, SaysThatTheReaderForgotAStorageWithoutTensors) {
  sources(2, 1000);
  use(words(1, 0, 1000));
  EXPECT_THAT(thrown_by([&] { cover(); }).what(),
              HasSubstr("1000 bytes of tensor data at [0, 1000) belong to no tensor"));
}

TEST_F(CoverageTest, TellsStoragesApartInOneFile) {
  run_ = std::make_unique<ExecuteRun>(1, 1000);
  read_ = std::make_unique<Graph>(run_->arena);
  read_->add_storage(1, 0, 400);
  read_->add_storage(1, 400, 400);
  use(words(1, 0, 400));
  read_->drop(words(1, 400, 800), "why not");
  const Coverage coverage = cover();
  EXPECT_EQ(coverage.declared, 800u);
  EXPECT_EQ(coverage.used, 400u);
  EXPECT_EQ(coverage.dropped[0].bytes, 400u);
}

TEST_F(CoverageTest, CallsNoStoragePartlyNeededThatIsUsedWhole) {
  sources(2, 100'000);
  use(words(1, 0, 100'000));
  use(words(2, 0, 100'000));
  EXPECT_THAT(cover().partly_needed, IsEmpty());
}

TEST_F(CoverageTest, CallsAStoragePartlyNeededOfWhichMoreThanALittleIsLeftOut) {
  sources(3, 100'000);
  const auto use_all_but = [&](ckb_file file, std::uint64_t rest) {
    use(words(file, 0, 100'000 - rest));
    read_->drop(words(file, 100'000 - rest, 100'000), "padding");
  };
  use_all_but(1, kLittle);
  use_all_but(2, kLittle + 2);
  use_all_but(3, 50'000);
  EXPECT_THAT(cover().partly_needed, ElementsAre(Pair(2, 0), Pair(3, 0)));
}

TEST_F(CoverageTest, CallsASixtyFourthOfALargeStorageALittle) {
  constexpr std::uint64_t kSize = 1u << 20;
  sources(2, kSize);
  const auto use_all_but = [&](ckb_file file, std::uint64_t rest) {
    use(words(file, 0, kSize - rest));
    read_->drop(words(file, kSize - rest, kSize), "padding");
  };
  use_all_but(1, kSize / 64);
  use_all_but(2, kSize / 64 + 2);
  EXPECT_THAT(cover().partly_needed, ElementsAre(Pair(2, 0)));
}

TEST_F(CoverageTest, CallsWhatIsCheckedNeeded) {
  sources(2, 100'000);
  use(words(1, 0, 100'000));
  read_->expect_equal(words(1, 0, 100'000), words(2, 0, 100'000), "w", false);
  EXPECT_THAT(cover().partly_needed, IsEmpty());
}

}  // namespace
}  // namespace ckptbridge
