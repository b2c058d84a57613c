// What `ckptbridge plugins` says of plugins in all the states that there are.
#include <algorithm>
#include <unistd.h>

#include <sys/stat.h>

#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A manifest and an empty library, which listing does not load.
void add_plugin(const TempFolder& folder, const std::string& id, const std::string& abi = "1.0") {
  folder.write(id + ".so", "");
  folder.write(id + ".json", R"({"manifest_version": 1, "id": ")" + id +
                                 R"(", "version": "3", "abi": ")" + abi + R"(", "library": ")" +
                                 id + R"(.so", "roles": ["reader"], "summary": "s", "format": ")" +
                                 id + R"("})");
}

// The entries of an id, in the order of the search.
std::vector<Json> entries_of(const std::string& id, const std::vector<std::string>& folders) {
  std::vector<std::string> arguments{"plugins", "--json"};
  for (const auto& folder : folders) {
    arguments.emplace_back("--plugin-dir");
    arguments.push_back(folder);
  }
  std::vector<Json> found;
  const Json listing = Json::parse(command(arguments).out);
  for (const auto& plugin : listing["plugins"]) {
    if (plugin["id"] == id) found.push_back(plugin);
  }
  return found;
}

TEST(PluginsCommand, ListsAShadowedPluginWithTheOneThatComesFirst) {
  const TempFolder first;
  const TempFolder second;
  add_plugin(first, "acme.reader");
  add_plugin(second, "acme.reader");
  const auto found = entries_of("acme.reader", {first.path().string(), second.path().string()});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["used"], true);
  EXPECT_EQ(found[1]["used"], false);
  EXPECT_EQ(found[1]["shadowed_by"], (first / "acme.reader.json").string());
}

TEST(PluginsCommand, ListsAPluginForANewerAbiWithTheReason) {
  const TempFolder folder;
  add_plugin(folder, "acme.new", "1.9");
  const auto found = entries_of("acme.new", {folder.path().string()});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["used"], false);
  EXPECT_EQ(found[0]["problem"], "needs ckptbridge plugin ABI 1.9, this is 1.0");
}

TEST(PluginsCommand, ListsAPluginThatOthersMayWriteWithTheReason) {
  const TempFolder folder;
  add_plugin(folder, "acme.open");
  chmod((folder / "acme.open.so").c_str(), 0666);
  const auto found = entries_of("acme.open", {folder.path().string()});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["used"], false);
  EXPECT_THAT(found[0]["problem"].get<std::string>(), HasSubstr("anybody may write"));
}

TEST(PluginsCommand, SearchesTheVariableForUsersAndNotForRoot) {
  const TempFolder folder;
  add_plugin(folder, "acme.reader");
  const auto outcome =
      command({"plugins"}, "CKPTBRIDGE_PLUGIN_PATH=" + shell_quoted(folder.path().string()));
  EXPECT_EQ(outcome.code, 0);
  if (geteuid() == 0) {
    EXPECT_THAT(outcome.out, AllOf(HasSubstr(folder.path().string() + ": not searched for root"),
                                   Not(HasSubstr("acme.reader"))));
  } else {
    EXPECT_THAT(outcome.out, HasSubstr(folder.path().string() + ": acme.reader"));
  }
}

TEST(PluginsCommand, ShowsAPluginWithItsOptions) {
  EXPECT_THAT(command({"plugins", "show", "evo2-mapper"}).out,
              AllOf(StartsWith("plugin     evo2-mapper 0."), HasSubstr("roles      transform\n"),
                    HasSubstr("gives      names = megatron\n"),
                    HasSubstr("  --model-size (string, default \"auto\")\n"),
                    HasSubstr("  --params-dtype (bf16, fp16, fp32)\n")));
  const auto shown = Json::parse(command({"plugins", "show", "evo2-mapper", "--json"}).out);
  ASSERT_EQ(shown.size(), 1u);
  const auto& options = shown[0]["options"];
  EXPECT_TRUE(std::any_of(options.begin(), options.end(), [](const Json& option) {
    return option["name"] == "params-dtype" && option["choices"].size() == 3;
  }));
}

TEST(PluginsCommand, ShowsWhyAPluginIsNotUsed) {
  const TempFolder folder;
  folder.write("acme.broken.json", "{");
  const auto dir = folder.path().string();
  EXPECT_THAT(
      command({"plugins", "show", "acme.broken", "--plugin-dir", dir}).out,
      AllOf(HasSubstr("plugin     acme.broken"), HasSubstr("not used   "), HasSubstr("not JSON")));
  const auto unknown = command({"plugins", "show", "evo2-maper"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("no plugin \"evo2-maper\"; did you mean \"evo2-mapper\"?"));
  EXPECT_EQ(command({"plugins", "shwo", "evo2-mapper"}).code, 2);
}

TEST(Help, OfAllOptionsHasThoseThatNameTheirPlugin) {
  EXPECT_THAT(command({"convert", "--help"}).out, Not(HasSubstr("--evo2-mapper.model-size")));
  for (const char* word : {"--help-all", "--help_all"}) {
    EXPECT_THAT(command({"convert", word}).out,
                AllOf(HasSubstr("Options of evo2-mapper:\n"), HasSubstr("--model-size"),
                      HasSubstr("--evo2-mapper.model-size")));
  }
}

TEST(Help, HasWordsForTheCompletionOfShells) {
  EXPECT_THAT(command({"--help=words"}).out,
              AllOf(StartsWith("convert\t-\tconvert a checkpoint"), HasSubstr("\nplugins\t-\t")));
  EXPECT_THAT(command({"convert", "--help=words"}).out,
              AllOf(HasSubstr("\n--to\tFORMAT\tFormat of OUT"), HasSubstr("\n--dry-run\t-\t"),
                    HasSubstr("\n--params-dtype\tbf16|fp16|fp32\t"), Not(HasSubstr("\nIN\t"))));
}

TEST(Help, HasAManualPageForTheCommandAndEachVerb) {
  EXPECT_THAT(command({"--help=man"}).out,
              AllOf(StartsWith(".TH CKPTBRIDGE 1 "), HasSubstr("\\fBconvert\\fR")));
  EXPECT_THAT(command({"convert", "--help=man"}).out,
              AllOf(StartsWith(".TH CKPTBRIDGE-CONVERT 1 "), HasSubstr(".SH ARGUMENTS\n"),
                    HasSubstr("\\fB\\-\\-to\\fR \\fIFORMAT\\fR\n"),
                    HasSubstr(".SH OPTIONS OF EVO2-MAPPER\n")));
}

}  // namespace
}  // namespace ckptbridge
