#include <algorithm>

#include <sys/resource.h>

#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Command, WithoutArgumentsPrintsAShortUsage) {
  const auto outcome = command({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, StartsWith("Usage: ckptbridge convert IN OUT --to FORMAT\n"));
}

TEST(Command, PrintsItsVersionAndAnOverview) {
  EXPECT_THAT(command({"--version"}).out, StartsWith("ckptbridge 0."));
  EXPECT_THAT(command({"--help"}).out, HasSubstr("Verbs:\n  convert"));
  EXPECT_EQ(command({"help", "convert"}).out, command({"convert", "--help"}).out);
}

TEST(Command, HelpOfAConvertingVerbListsTheOptionsOfPlugins) {
  EXPECT_THAT(command({"convert", "--help"}).out,
              AllOf(HasSubstr("Options of evo2-mapper:\n"), HasSubstr("--model-size")));
}

TEST(Command, ListsPluginsAndWhereItSearched) {
  const auto outcome = command({"plugins"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("zero1-reader"), HasSubstr("nemo2-torch_dist-writer"),
                                 HasSubstr("\nsearched:\n"), Not(HasSubstr("cannot be used"))));
  const auto listing = Json::parse(command({"plugins", "--json"}).out);
  EXPECT_TRUE(std::any_of(
      listing["plugins"].begin(), listing["plugins"].end(),
      [](const Json& plugin) { return plugin["id"] == "zero1-reader" && plugin["used"] == true; }));
  EXPECT_FALSE(listing["searched"].empty());
}

TEST(Command, SaysWhyAPluginCannotBeUsed) {
  const TempFolder folder;
  folder.write("acme.broken.json", "{");
  const auto listing = command({"plugins", "--plugin_dir", folder.path().string()});
  EXPECT_EQ(listing.code, 0);
  EXPECT_THAT(listing.out, HasSubstr("acme.broken cannot be used: "));
  const auto use = command({"run", "--plugin-dir", folder.path().string(),
                            "acme.broken path=in ! nemo2-torch_dist-writer path=out"});
  EXPECT_EQ(use.code, 3);
  EXPECT_THAT(use.err, HasSubstr("acme.broken.json: not JSON"));
}

TEST(Command, SaysWhereItSearchedForAPluginThatThereIsNot) {
  const auto outcome = command({"plan", "zero1-raeder", "path=in", "!", "x", "path=out"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no plugin \"zero1-raeder\"; did you mean "
                                           "\"zero1-reader\"?\nsearched:\n"),
                                 HasSubstr("lib/ckptbridge/plugins-1: ")));
}

TEST(Command, ListsAndShowsProfiles) {
  EXPECT_THAT(command({"profiles"}).out, AllOf(HasSubstr("1b "), HasSubstr("40b_arc_longcontext")));
  EXPECT_THAT(
      command({"profiles", "show", "7b_arc_1m"}).out,
      AllOf(StartsWith("7b_arc_longcontext ("), HasSubstr("hidden_size"), HasSubstr("(from 7b)")));
  const auto shown = Json::parse(command({"profiles", "show", "7b", "--json"}).out);
  EXPECT_EQ(shown["fields"]["hidden_size"], 4096);
  const auto unknown = command({"profiles", "show", "7bb"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"7b\"?"));
}

TEST(Command, ChecksAProfileOfTheUsersOwn) {
  const auto good = command({"profiles", "check", golden("nemo2/tiny_profile.json")});
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("tiny_profile.json: a valid profile; pass it with --profile "));

  const TempFolder folder;
  const auto file = folder
                        .write("mine.json",
                               R"({"profile_version": 1, "name": "7b", "inherits": "40b",
                                     "hiden_size": 64, "num_layers": 51, "ffn_hidden_size": "x",
                                     "ffn_hidden_size": 0, "hybrid_override_pattern": "SDX"})")
                        .string();
  const auto bad = command({"profiles", "check", file});
  EXPECT_EQ(bad.code, 3);
  EXPECT_EQ(bad.err, "");
  EXPECT_THAT(bad.out,
              AllOf(HasSubstr("mine.json: ffn_hidden_size: is given twice\n"),
                    HasSubstr("hiden_size: unknown member; did you mean \"hidden_size\"?\n"),
                    HasSubstr("ffn_hidden_size: expected 1 or more, found 0\n"),
                    HasSubstr("hybrid_override_pattern: expected a text like ^[SDH*]+$, found "),
                    HasSubstr("name: 7b is the name of a size that ckptbridge has\n"),
                    HasSubstr("num_layers is 51, but hybrid_override_pattern has 3 letters\n")));
  const auto found = Json::parse(command({"profiles", "check", file, "--json"}).out);
  EXPECT_EQ(found["valid"], false);
  EXPECT_EQ(found["problems"].size(), 6u);

  const auto alone = folder.write("alone.json", R"({"profile_version": 1, "name": "a"})").string();
  EXPECT_THAT(command({"profiles", "check", alone}).out,
              HasSubstr("hidden_size is missing: set it, or inherit it from a size"));
  const auto orphan =
      folder.write("orphan.json", R"({"profile_version": 1, "name": "a", "inherits": "7bb"})");
  EXPECT_THAT(command({"profiles", "check", orphan.string()}).out,
              HasSubstr("inherits: there is no profile 7bb; did you mean \"7b\"?"));
  EXPECT_EQ(command({"profiles", "check", folder.write("no.json", "{").string()}).code, 3);
  EXPECT_EQ(command({"profiles", "check", folder.write("list.json", "[]").string()}).code, 3);
  EXPECT_EQ(command({"profiles", "check", (folder / "absent").string()}).code, 3);
}

TEST(Command, LoadsNoPluginToListOrHelp) {
  const auto profile = golden("nemo2/tiny_profile.json");
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--help"},
                                                                     {"plugins"},
                                                                     {"profiles"},
                                                                     {"profiles", "check", profile},
                                                                     {"convert", "--help"}}) {
    const auto outcome = command(arguments, "LD_DEBUG=files");
    EXPECT_THAT(outcome.err, HasSubstr("libc.so"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("-reader.so")));
    EXPECT_THAT(outcome.err, Not(HasSubstr("-mapper.so")));
    EXPECT_THAT(outcome.err, Not(HasSubstr("-writer.so")));
    EXPECT_THAT(outcome.err, Not(HasSubstr("torch")));
  }
}

// Of this process's children, so that a busy machine counts less.
double cpu_milliseconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto of = [](const timeval& t) {
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

TEST(Command, ListsInLessThanTwentyMilliseconds) {
  if (!std::string(CKPTBRIDGE_SANITIZE).empty()) return;  // which starts slowly
  for (const char* verb : {"--help", "plugins", "profiles"}) {
    double best = 1e9;
    for (int i = 0; i < 10; ++i) {
      const double begin = cpu_milliseconds();
      command({verb});
      best = std::min(best, cpu_milliseconds() - begin);
    }
    EXPECT_LE(best, 20) << verb;
  }
}

}  // namespace
}  // namespace ckptbridge
