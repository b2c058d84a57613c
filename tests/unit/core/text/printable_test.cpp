#include "core/text/printable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "core/text/name_patterns.h"
#include "core/text/quantities.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

TEST(DidYouMean, FindsTheWordASlipAway) {
  EXPECT_EQ(did_you_mean("mp-szie", {"mp-size", "tag"}), "; did you mean \"mp-size\"?");
  EXPECT_EQ(did_you_mean("nemo2-torch-dist", {"nemo2-zarr", "nemo2-torch_dist"}),
            "; did you mean \"nemo2-torch_dist\"?");
  EXPECT_EQ(did_you_mean("PLAN", {"run", "plan"}), "; did you mean \"plan\"?");
}

TEST(DidYouMean, TakesTheBeginningOfALongName) {
  EXPECT_EQ(did_you_mean("insp", {"inspect", "plan"}), "; did you mean \"inspect\"?");
}

TEST(DidYouMean, SaysNothingWhereNothingIsNear) {
  EXPECT_EQ(did_you_mean("gguf", {"zero1", "nemo2-zarr"}), "");
  EXPECT_EQ(did_you_mean("x", {"y"}), "");
  EXPECT_EQ(did_you_mean(std::string(1'000'000, 'x'), {"xxx"}), "");
}

TEST(Glob, StarStandsForAnyPartOfAName) {
  EXPECT_TRUE(glob_matches("mp_rank_*_model_states.pt", "mp_rank_00_model_states.pt"));
  EXPECT_FALSE(
      glob_matches("mp_rank_*_model_states.pt", "zero_pp_rank_0_mp_rank_00_model_states.pt"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbXbc"));
  EXPECT_FALSE(glob_matches("*", "a/b"));
  EXPECT_TRUE(glob_matches("*.safetensors", "model-00001-of-00002.safetensors"));
  EXPECT_FALSE(glob_matches("a?c", "ac"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
}

TEST(Glob, ManyStarsCostNoMoreThanTheProduct) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(10'000, 'a')));
}

TEST(Size, IsBytesOrANumberAndAUnit) {
  EXPECT_EQ(parse_size("4096", "--memory"), 4096u);
  EXPECT_EQ(parse_size("128MiB", "--memory"), 128u << 20);
  EXPECT_EQ(parse_size("2 GB", "--memory"), 2'000'000'000u);
  EXPECT_EQ(parse_size("1k", "--memory"), 1024u);
}

TEST(Size, ThatIsNoneNamesTheOption) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "12 parsecs", "99999999999TiB", "1  k"}) {
    try {
      parse_size(text, "--memory");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
      EXPECT_THAT(error.what(), HasSubstr("--memory: \"" + std::string(text) + "\" is not a size"));
    }
  }
}

TEST(Size, IsPrintedInTheUnitThatSuitsIt) {
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(225ull << 30), "225.0 GiB");
  EXPECT_EQ(size_text(~0ull), "16.0 EiB");
}

TEST(Count, HasACommaAtEachThousand) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(4194304), "4,194,304");
}

TEST(Printable, EscapesWhatMovesACursorOrIsNoText) {
  EXPECT_EQ(printable("sequential.0.wörd €"), "sequential.0.wörd €");
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\x7f\xc2\x9b\xff\xc3"), "\\x7f\\xc2\\x9b\\xff\\xc3");
  EXPECT_EQ(printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(printable("a\nb\r", true), "a\nb\\x0d");
}

}  // namespace
}  // namespace ckptbridge
