// Presets of third parties: the example of include/README.md, and some that cannot be.
#include <cctype>

#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
namespace fs = boost::filesystem;

const std::string kSources = paths::sources();
const std::string kInput = golden("nemo2/input_tiny.pt");

// The example of the guide for authors.
Json example() {
  const std::string page = TempFolder::text_of(kSources + "/include/README.md");
  const auto id = page.find("\"id\": \"acme.export\"");
  const auto begin = page.rfind("```json\n", id) + 8;
  return Json::parse(page.substr(begin, page.find("```", begin) - begin));
}

class PresetCommand : public testing::Test {
 protected:
  void SetUp() override { add(example()); }

  void add(const Json& manifest) const {
    plugins_.write(manifest["id"].get<std::string>() + ".json", manifest.dump());
  }

  // The example under another id and verb, with other members.
  void add_other(const std::string& verb, const Json& members = Json::object()) const {
    Json manifest = example();
    manifest["id"] = "acme.z-" + verb;
    manifest["verb"] = verb;
    manifest.update(members);
    add(manifest);
  }

  Outcome run(std::vector<std::string> arguments) const {
    arguments.emplace_back("--plugin-dir");
    arguments.push_back(plugins_.path().string());
    return command(arguments);
  }

  std::string path(const std::string& name) const { return (work_ / name).string(); }

  std::string problem_of(const std::string& id) const {
    const Json listing = Json::parse(run({"plugins", "--json"}).out);
    for (const auto& plugin : listing["plugins"]) {
      if (plugin["id"] == id) return plugin.value("problem", "").text();
    }
    return "not listed";
  }

 private:
  TempFolder plugins_;
  TempFolder work_;
};

TEST_F(PresetCommand, OfAThirdPartyIsAVerbInBothSpellings) {
  EXPECT_EQ(run({"acme_export", kInput, path("a")}).code, 0);
  EXPECT_EQ(run({"acme-export", kInput, path("b"), "--shard_bytes", "100000000"}).code, 0);
  EXPECT_EQ(command({"convert", kInput, path("c"), "--to", "safetensors"}).code, 0);
  const std::string made = TempFolder::text_of(path("c") + "/model.safetensors");
  EXPECT_EQ(TempFolder::text_of(path("a") + "/model.safetensors"), made);
  EXPECT_EQ(TempFolder::text_of(path("b") + "/model.safetensors"), made);
}

TEST_F(PresetCommand, SetsOptionsThatWereNotTyped) {
  EXPECT_EQ(run({"acme_export", kInput, path("a"), "-s", "1000"}).code, 0);
  EXPECT_TRUE(fs::exists(path("a") + "/model.safetensors.index.json"));
  const auto twice =
      run({"acme_export", kInput, path("b"), "-s", "1000", "--max-shard-bytes", "2000"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("--shard-bytes and --max-shard-bytes are the same; give one"));
  add_other("acme_small", {{"sets", {"max-shard-bytes=1000"}}});
  EXPECT_EQ(run({"acme_small", kInput, path("c")}).code, 0);
  EXPECT_TRUE(fs::exists(path("c") + "/model.safetensors.index.json"));
  EXPECT_EQ(run({"acme_small", kInput, path("d"), "--max-shard-bytes", "1000000"}).code, 0);
  EXPECT_FALSE(fs::exists(path("d") + "/model.safetensors.index.json"));
  add_other("acme_look", {{"sets", {"dry-run=true"}}});
  EXPECT_EQ(run({"acme_look", kInput, path("e")}).code, 0);
  EXPECT_FALSE(fs::exists(path("e")));
}

TEST_F(PresetCommand, IsPlannedAsAnyConversion) {
  const auto plan = run({"plan", "acme_export", kInput, path("out")});
  EXPECT_EQ(plan.code, 0);
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_THAT(run({"plan", "acme_exprot", kInput, path("out")}).err,
              EndsWith("did you mean \"acme_export\"?\n"));
}

TEST_F(PresetCommand, IsInHelpManualAndCompletions) {
  EXPECT_THAT(run({"--help"}).out,
              HasSubstr("\nPresets of others:\n  acme_export        a checkpoint of acme becomes"));
  EXPECT_THAT(command({"--help"}).out, Not(HasSubstr("Presets of others")));
  EXPECT_THAT(run({"--help=words"}).out,
              HasSubstr("\nacme_export\t-\ta checkpoint of acme becomes safetensors\n"));
  EXPECT_THAT(run({"--help=man"}).out, HasSubstr("\\fBacme_export\\fR"));
  EXPECT_THAT(run({"acme_export", "--help=words"}).out,
              AllOf(HasSubstr("-s\tN\tBytes of one file, at most\n"), HasSubstr("\n--dry-run\t-")));
  const std::string help = run({"acme_export", "--help"}).out;
  EXPECT_THAT(help, AllOf(HasSubstr("Usage: ckptbridge acme_export IN OUT [--shard-bytes N]"),
                          HasSubstr("-s,--shard-bytes N")));
  EXPECT_EQ(run({"help", "acme_export"}).out, help);
  EXPECT_THAT(run({"acme_exprot"}).err, EndsWith("did you mean \"acme_export\"?\n"));
}

TEST_F(PresetCommand, IsListedWithItsVerb) {
  EXPECT_THAT(run({"plugins"}).out,
              AllOf(HasSubstr("\npresets, each a verb of `ckptbridge`:\nacme.export "),
                    HasSubstr("  acme_export "), HasSubstr("zero3-consolidate  convert_zero3")));
  EXPECT_THAT(run({"plugins", "show", "acme.export"}).out,
              AllOf(HasSubstr("roles      preset\n"), HasSubstr("verb       acme_export IN OUT"),
                    HasSubstr("to         safetensors\n"),
                    HasSubstr("sets       max-shard-bytes={shard-bytes}\n")));
  EXPECT_THAT(run({"plugins", "show", "zero3-consolidate"}).out,
              HasSubstr("chain      zero3-reader, zero1-writer\n"));
  EXPECT_EQ(problem_of("acme.export"), "");
}

TEST_F(PresetCommand, ThatIsBrokenIsListedWithTheReasonAndIsNoVerb) {
  add_other("acme_broken", {{"input", "{NI}"}});
  EXPECT_THAT(problem_of("acme.z-acme_broken"),
              HasSubstr("acme.z-acme_broken.json: input: \"NI\" is neither an argument nor"));
  EXPECT_THAT(run({"plugins"}).out, HasSubstr("acme.z-acme_broken cannot be used: "));
  EXPECT_EQ(run({"acme_broken", kInput, path("out")}).code, 2);
  EXPECT_THAT(run({"--help"}).out, Not(HasSubstr("acme_broken")));
}

TEST_F(PresetCommand, CannotTakeAVerbThatThereIs) {
  add_other("in-spect");
  add_other("inspect");
  add_other("help");
  add_other("acme-export");
  EXPECT_EQ(problem_of("acme.z-in-spect"), "");
  EXPECT_EQ(problem_of("acme.z-inspect"), "its verb inspect is the program's own");
  EXPECT_EQ(problem_of("acme.z-help"), "its verb help is the program's own");
  EXPECT_THAT(problem_of("acme.z-acme-export"),
              AllOf(HasSubstr("its verb acme-export is that of "),
                    HasSubstr("/acme.export.json, which comes first")));
  EXPECT_THAT(run({"inspect", kInput}).out, HasSubstr("format     zero1"));
  EXPECT_THAT(run({"plugins"}).out, HasSubstr("acme.z-inspect cannot be used: its verb inspect"));
}

TEST_F(PresetCommand, CannotTakeOptionsThatThereAreNorSetThoseThatThereAreNot) {
  const Json in = {{"names", {"IN"}}, {"help", "h"}};
  const Json out = {{"names", {"OUT"}}, {"help", "h"}};
  const auto takes = [&](const char* name) {
    return Json{{"arguments", {in, out, {{"names", {name}}, {"help", "h"}}}},
                {"sets", Json::array()}};
  };
  add_other("a", takes("--threads"));
  add_other("b", takes("-v"));
  add_other("c", takes("--help"));
  add_other("d", {{"sets", {"theards=1"}}});
  EXPECT_EQ(problem_of("acme.z-a"), "arguments: --threads is an option that all conversions take");
  EXPECT_EQ(problem_of("acme.z-b"), "arguments: -v is an option that all conversions take");
  EXPECT_EQ(problem_of("acme.z-c"), "arguments: --help is an option that all conversions take");
  EXPECT_EQ(problem_of("acme.z-d"), "sets: \"theards\" is not an option that conversions take");
}

TEST_F(PresetCommand, SaysWhichOptionAPluginOfItsChainHasNot) {
  Json manifest = example();
  manifest["id"] = "acme.cut";
  manifest["verb"] = "acme_cut";
  manifest.erase("to");
  manifest["chain"] = {"zero1-reader", "safetensors-writer"};
  manifest["sets"] = {"safetensors-writer.max-sahrd-bytes=1000"};
  add(manifest);
  const auto outcome = run({"acme_cut", kInput, path("out")});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("acme.cut.json: safetensors-writer.max-sahrd-bytes: there is no "
                        "such option; did you mean \"max-shard-bytes\"?"));
}

// Whether an id stands in a text, and not as a part of a longer word.
bool has_id(const std::string& text, const std::string& id) {
  const auto is_part = [&](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                std::string("-_.").find(text[at]) != std::string::npos);
  };
  for (auto at = text.find(id); at != std::string::npos; at = text.find(id, at + 1)) {
    if (!is_part(at - 1) && !is_part(at + id.size())) return true;
  }
  return false;
}

TEST(Sources, OfTheProgramKnowNoPluginAndNoModel) {
  std::vector<std::string> ids;
  const Json listing = Json::parse(command({"plugins", "--json"}).out);
  for (const auto& plugin : listing["plugins"]) {
    const auto role = plugin["roles"][0].get<std::string>();
    // Users are told the name of the plugin that computes. What is only recognised has the name of
    // a format.
    if (role != "compute" && role != "recognise") ids.push_back(plugin["id"].get<std::string>());
  }
  ASSERT_GT(ids.size(), 10u);
  for (const char* part : {"core", "cli"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(kSources) / part)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      const std::string text = TempFolder::text_of(entry.path());
      for (const std::string& id : ids) EXPECT_FALSE(has_id(text, id)) << entry.path() << id;
      for (const char* model : {"evo2", "Evo2", "nemo", "NeMo"}) {
        EXPECT_THAT(text, Not(HasSubstr(model))) << entry.path();
      }
    }
  }
}

}  // namespace
}  // namespace ckptbridge
