#include "cli/terminal/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A verb with one of each kind.
struct Sample {
  Sample() : line("sample IN OUT", "A sample.") {
    line.positional("IN", in, "Input");
    line.positional("OUT", out, "Output");
    line.option("-t,--tag", "NAME", tag, "Tag");
    line.option("--model_size", "SIZE", size, "Size");
    line.repeated_option("--plugin-dir", "FOLDER", folders, "Folder");
    line.flag("-v,--verbose", verbose, "Verbose");
    line.received_option("--strict", "", "Strict",
                         [this](const auto& value) { strict.push_back(value.value_or("(none)")); });
  }

  void parse(const std::vector<std::string>& arguments) { ASSERT_TRUE(line.parse(arguments)); }

  std::string error(const std::vector<std::string>& arguments) {
    return error_of(CKB_INVALID_ARGUMENT, [&] { (void)line.parse(arguments); });
  }

  CommandLine line;
  std::string in, out, tag = "(default)", size;
  std::vector<std::string> folders, strict;
  bool verbose = false;
};

TEST(CommandLine, TakesOptionsBeforeBetweenAndAfterTheRest) {
  Sample sample;
  sample.parse({"--model-size", "7b", "a b", "-v", "-t", "x", "o"});
  EXPECT_EQ(sample.in, "a b");
  EXPECT_EQ(sample.out, "o");
  EXPECT_EQ(sample.size, "7b");
  EXPECT_EQ(sample.tag, "x");
  EXPECT_TRUE(sample.verbose);
}

TEST(CommandLine, KeepsWhatIsNotGiven) {
  Sample sample;
  sample.parse({"i", "o"});
  EXPECT_EQ(sample.tag, "(default)");
  EXPECT_FALSE(sample.verbose);
}

TEST(CommandLine, TakesHyphensForUnderscoresInNamesAndNotInValues) {
  Sample sample;
  sample.parse({"in_1", "o", "--model_size=a_b", "--plugin_dir", "c_d"});
  EXPECT_EQ(sample.in, "in_1");
  EXPECT_EQ(sample.size, "a_b");
  EXPECT_THAT(sample.folders, ElementsAre("c_d"));
}

TEST(CommandLine, TakesEmptyAndOddValues) {
  Sample sample;
  sample.parse(
      {"[a,b]", "o", "--tag=", "--model-size", "-3", "--plugin-dir=[x,y]", "--plugin-dir", "z"});
  EXPECT_EQ(sample.in, "[a,b]");
  EXPECT_EQ(sample.tag, "");
  EXPECT_EQ(sample.size, "-3");
  EXPECT_THAT(sample.folders, ElementsAre("[x,y]", "z"));
}

TEST(CommandLine, AFlagTakesNoWordButMayHaveAValue) {
  Sample sample;
  sample.parse({"--strict", "i", "o", "--strict=no"});
  EXPECT_THAT(sample.strict, ElementsAre("(none)", "no"));
  EXPECT_EQ(sample.in, "i");
}

TEST(CommandLine, EndsOptionsAtTwoDashes) {
  Sample sample;
  sample.parse({"--", "--tag", "-o"});
  EXPECT_EQ(sample.in, "--tag");
  EXPECT_EQ(sample.out, "-o");
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Sample().error({"i", "o", "--model-sise", "x"}),
            "unknown option --model-sise; did you mean \"--model-size\"?");
  EXPECT_EQ(Sample().error({"i", "o", "--x_y=3"}), "unknown option --x-y");
  EXPECT_EQ(Sample().error({"i", "o", "-q"}), "unknown option -q");
  EXPECT_EQ(Sample().error({"i", "o", "p"}), "unexpected argument \"p\"");
}

TEST(CommandLine, RefusesWhatIsMissing) {
  EXPECT_EQ(Sample().error({"i"}), "OUT is missing");
  EXPECT_THAT(Sample().error({"i", "o", "--tag"}), HasSubstr("--tag"));
  EXPECT_EQ(Sample().error({"i", "o", "--tag", "--verbose"}),
            "--tag needs a value, found --verbose");
}

TEST(CommandLine, RefusesWhatIsGivenTwice) {
  EXPECT_EQ(Sample().error({"i", "o", "--tag", "a", "-t", "b"}), "--tag is given 2 times: a, b");
}

TEST(CommandLine, SaysThatHelpWasAskedFor) {
  Sample sample;
  testing::internal::CaptureStdout();
  EXPECT_FALSE(sample.line.parse({"--help"}));
  const std::string help = testing::internal::GetCapturedStdout();
  EXPECT_THAT(help, HasSubstr("Usage: ckptbridge sample IN OUT\n"));
  EXPECT_THAT(help, HasSubstr("-t,--tag NAME"));
}

}  // namespace
}  // namespace ckptbridge::cli
