#include "cli/terminal/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A printer whose clock the test turns.
struct Watched {
  explicit Watched(ProgressStyle style)
      : printer(
            style, [this](std::string_view piece) { text += piece; }, [this] { return now; }) {}

  // What is printed when this much is done at this time.
  std::string at(double seconds, std::uint64_t done, const std::string& stage = "convert",
                 const std::string& tensor = "", unsigned columns = 0) {
    now = seconds;
    text.clear();
    printer.update({stage, done, 1000 << 20, tensor}, columns);
    return text;
  }

  // The bar half-way, on a terminal of so many columns, without what redraws it.
  std::string bar(unsigned columns, const std::string& tensor = "decoder.layers.3.mlp.w1") {
    at(0, 0);
    const std::string bar = at(10, 500 << 20, "convert", tensor, columns);
    EXPECT_THAT(bar, AllOf(StartsWith("\r"), EndsWith("\x1b[K")));
    return bar.substr(1, bar.size() - 4);
  }

  double now = 0;
  std::string text;
  ProgressPrinter printer;
};

TEST(Progress, IsALineEveryTenSeconds) {
  Watched watched(ProgressStyle::kLines);
  EXPECT_EQ(watched.at(100, 0), "");
  EXPECT_EQ(watched.at(109.9, 90 << 20), "");
  EXPECT_EQ(watched.at(110, 100 << 20), "convert: 10 %, 100.0 MiB of 1000.0 MiB, 10.0 MiB/s\n");
  EXPECT_EQ(watched.at(119, 200 << 20), "");
  EXPECT_EQ(watched.at(120, 200 << 20), "convert: 20 %, 200.0 MiB of 1000.0 MiB, 10.0 MiB/s\n");
}

TEST(Progress, BeginsAnewWithEachStage) {
  Watched watched(ProgressStyle::kLines);
  watched.at(0, 0, "check");
  EXPECT_EQ(watched.at(9, 10 << 20, "convert"), "");
  EXPECT_EQ(watched.at(18, 90 << 20, "convert"), "");
  EXPECT_THAT(watched.at(19, 100 << 20, "convert"), HasSubstr("10.0 MiB/s"));
}

TEST(Progress, OnATerminalIsABarThatIsRedrawnAndCleared) {
  Watched watched(ProgressStyle::kBar);
  watched.at(0, 0);
  EXPECT_EQ(watched.at(0.05, 1 << 20), "");
  EXPECT_EQ(watched.at(10, 500 << 20),
            "\rconvert [############............]  50 %  500.0 MiB of 1000.0 MiB  50.0 MiB/s  0:10 "
            "left\x1b[K");
  watched.text.clear();
  watched.printer.clear();
  watched.printer.clear();
  EXPECT_EQ(watched.text, "\r\x1b[K");
}

TEST(Progress, NamesTheTensorWhereTheTerminalIsWide) {
  EXPECT_EQ(Watched(ProgressStyle::kBar).bar(120),
            "convert [############............]  50 %  500.0 MiB of 1000.0 MiB  50.0 MiB/s  0:10 "
            "left  decoder.layers.3.mlp.w1");
  EXPECT_THAT(Watched(ProgressStyle::kBar).bar(120, "w\x1b[2J"), HasSubstr("w\\x1b[2J"));
}

TEST(Progress, FitsANarrowTerminal) {
  EXPECT_EQ(Watched(ProgressStyle::kBar).bar(100),
            "convert [############............]  50 %  500.0 MiB of 1000.0 MiB  50.0 MiB/s  0:10 "
            "left");
  EXPECT_EQ(Watched(ProgressStyle::kBar).bar(80),
            "convert  50 %  500.0 MiB of 1000.0 MiB  50.0 MiB/s  0:10 left");
  EXPECT_EQ(Watched(ProgressStyle::kBar).bar(20), "convert  50 %  500.");
  EXPECT_EQ(Watched(ProgressStyle::kBar).bar(1), "");
}

TEST(Progress, ForProgramsIsJsonAndSaysTheEnd) {
  Watched watched(ProgressStyle::kJson);
  EXPECT_EQ(watched.at(0, 0), "");
  EXPECT_EQ(watched.at(2, 1 << 20),
            R"({"stage":"convert","done":1048576,"total":1048576000,"seconds":2.0})"
            "\n");
  EXPECT_THAT(watched.at(2.1, 1000 << 20), HasSubstr(R"("done":1048576000,)"));
  EXPECT_EQ(watched.at(4, 1 << 20, "convert", "w1"),
            R"({"stage":"convert","done":1048576,"total":1048576000,"seconds":4.0,"tensor":"w1"})"
            "\n");
}

TEST(Progress, CanBeSilent) {
  Watched watched(ProgressStyle::kNone);
  watched.at(0, 0);
  EXPECT_EQ(watched.at(1000, 1000 << 20), "");
}

TEST(Progress, OfNothingIsDone) {
  Watched watched(ProgressStyle::kLines);
  watched.printer.update({"convert", 0, 0});
  watched.now = 20;
  watched.printer.update({"convert", 0, 0});
  EXPECT_THAT(watched.text, StartsWith("convert: 100 %"));
}

TEST(Progress, StyleIsChosenByAWord) {
  EXPECT_EQ(parse_progress("auto", true), ProgressStyle::kBar);
  EXPECT_EQ(parse_progress("auto", false), ProgressStyle::kLines);
  EXPECT_EQ(parse_progress("json", true), ProgressStyle::kJson);
  EXPECT_EQ(parse_progress("none", true), ProgressStyle::kNone);
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT, [] { parse_progress("jsno", true); }),
            "--progress: \"jsno\" is none of auto, json, none; did you mean \"json\"?");
}

}  // namespace
}  // namespace ckptbridge::cli
