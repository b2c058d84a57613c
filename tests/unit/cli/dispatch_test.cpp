#include "cli/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/verbs/presets.h"
#include "cli/verbs/setup.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Registry registry_with_a_preset(const TempFolder& folder) {
  folder.write("acme.export.json",
               R"({"manifest_version": 1, "id": "acme.export", "roles": ["preset"],
                   "verb": "acme_export", "summary": "acme's checkpoints", "usage": "IN OUT",
                   "description": "d", "arguments": [{"names": ["IN"], "help": "h"},
                   {"names": ["OUT"], "help": "h"}], "input": "{IN}", "output": "{OUT}",
                   "to": "safetensors"})");
  return open_registry({"--plugin-dir", folder.path().string()});
}

TEST(Verbs, AreFoundInBothSpellings) {
  ASSERT_NE(find_verb("inspect"), nullptr);
  EXPECT_EQ(find_verb("nothing"), nullptr);
  const TempFolder folder;
  const Registry registry = registry_with_a_preset(folder);
  ASSERT_NE(find_preset(registry, "acme-export"), nullptr);
  EXPECT_EQ(find_preset(registry, "acme-export"), find_preset(registry, "acme_export"));
  EXPECT_EQ(find_preset(registry, "inspect"), nullptr);
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
  const TempFolder folder;
  const std::string text = overview(registry_with_a_preset(folder));
  for (const Verb& verb : verbs()) {
    EXPECT_THAT(text, HasSubstr(std::string(verb.name) + " "));
    EXPECT_NE(verb.run == nullptr, verb.convert == nullptr);
  }
  EXPECT_THAT(text, HasSubstr("\nPresets of others:\n  acme_export        acme's checkpoints\n"));
}

}  // namespace
}  // namespace ckptbridge::cli
