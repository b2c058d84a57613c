#include "cli/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Verbs, AreFoundInBothSpellings) {
  ASSERT_NE(find_verb("convert-to-nemo"), nullptr);
  EXPECT_EQ(find_verb("convert-to-nemo"), find_verb("convert_to_nemo"));
  EXPECT_EQ(find_verb("nothing"), nullptr);
}

TEST(Verbs, ThatThereAreNotBringAHint) {
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [] { dispatch({"convrt"}); }),
              AllOf(StartsWith("unknown verb \"convrt\"; there are convert, run"),
                    EndsWith("; did you mean \"convert\"?")));
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT,
                       [] {
                         dispatch({"--json", "plugins"});
                       }),
              HasSubstr("option --json before a verb"));
}

TEST(Verbs, AreAllInTheOverview) {
  for (const auto* table : {&verbs(), &presets()}) {
    for (const Verb& verb : *table) {
      EXPECT_THAT(overview(), HasSubstr(std::string(verb.name) + " "));
      EXPECT_NE(verb.run == nullptr, verb.convert == nullptr);
    }
  }
}

}  // namespace
}  // namespace ckptbridge::cli
