#include "core/plugin_host/preset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin_host/manifest.h"
#include "core/text/json.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json gather() {
  return Json::parse(R"({
    "manifest_version": 1, "id": "acme.gather", "roles": ["preset"], "verb": "acme_gather",
    "summary": "s", "usage": "IN OUT [options]", "description": "d",
    "arguments": [{"names": ["IN"], "help": "where from"}, {"names": ["OUT"], "help": "where to"},
                  {"names": ["-t", "--the_tag"], "value": "FOLDER", "help": "a folder"},
                  {"names": ["--as"], "choices": ["a", "b"], "default": "a", "help": "how"},
                  {"names": ["-d", "--debug"], "help": "say more"}],
    "input": "{IN}", "output": "{OUT}/{as}", "folder": "{the-tag}",
    "chain": ["acme.reader", "acme.writer"],
    "sets": ["threads=2", "acme.reader.tag={the_tag}"],
    "job": "rank-{acme.reader.rank:all}", "skip_complete": true})");
}

Manifest parse(const Json& manifest) {
  return parse_manifest(manifest.dump(), "/p/acme.gather.json");
}

std::string error_of_manifest(const Json& manifest) {
  return error_of(CKB_CORRUPT, [&] { parse(manifest); });
}

// The message for a manifest in which one member is another, or not there.
std::string error_with(const std::string& member, const Json& value) {
  Json manifest = gather();
  manifest[member] = value;
  return error_of_manifest(manifest);
}

std::string error_without(const std::string& member) {
  Json manifest = gather();
  manifest.erase(member);
  return error_of_manifest(manifest);
}

// The message for a third argument that is this one.
std::string error_with_argument(const char* argument) {
  Json manifest = gather();
  manifest["arguments"][2] = Json::parse(argument);
  manifest["folder"] = "";
  manifest["sets"] = Json::array();
  return error_of_manifest(manifest);
}

TEST(Preset, HoldsWhatItsManifestSays) {
  const Manifest manifest = parse(gather());
  EXPECT_TRUE(manifest.library.empty());
  ASSERT_TRUE(manifest.preset);
  const Preset& preset = *manifest.preset;
  EXPECT_EQ(preset.verb, "acme_gather");
  EXPECT_THAT(preset.chain, ElementsAre("acme.reader", "acme.writer"));
  EXPECT_TRUE(preset.skip_complete);
  ASSERT_EQ(preset.arguments.size(), 5u);
  EXPECT_TRUE(preset.arguments[0].is_positional());
  EXPECT_TRUE(preset.arguments[0].required);
  EXPECT_EQ(preset.arguments[2].name(), "the-tag");
  EXPECT_EQ(preset.arguments[3].value_name, "a|b");
  EXPECT_TRUE(preset.arguments[4].is_flag());
  for (const char* name : {"t", "the-tag", "the_tag"}) {
    EXPECT_EQ(preset.argument(name), &preset.arguments[2]) << name;
  }
  EXPECT_EQ(preset.argument("tag"), nullptr);
  ASSERT_EQ(preset.options.size(), 2u);
  EXPECT_EQ(preset.options[0].plugin, "");
  EXPECT_EQ(preset.options[1].plugin, "acme.reader");
  EXPECT_EQ(preset.options[1].name, "tag");
  EXPECT_EQ(preset.options[1].value.first_place(), "the_tag");
}

TEST(Preset, FillsItsTextsWithWhatIsTyped) {
  const Preset preset = *parse(gather()).preset;
  const Typed nothing = [](const std::string&) { return std::nullopt; };
  const Typed marked = [](const std::string& name) { return "<" + name + ">"; };
  EXPECT_EQ(filled(preset.output, marked), "<OUT>/<as>");
  EXPECT_EQ(filled(preset.output, nothing), std::nullopt);
  EXPECT_EQ(filled(preset.job, nothing), "rank-all");
  EXPECT_EQ(filled(preset.job, marked), "rank-<acme.reader.rank>");
  EXPECT_EQ(filled(preset.options[0].value, nothing), "2");
}

TEST(Preset, KeepsANoteOfMembersItDoesNotKnow) {
  Json manifest = gather();
  manifest["colour"] = "red";
  manifest["arguments"][1]["type"] = "path";
  EXPECT_THAT(parse(manifest).notes,
              ElementsAre("/p/acme.gather.json: arguments[1]: unknown member \"type\"",
                          "/p/acme.gather.json: unknown member \"colour\""));
}

TEST(Preset, IsRefusedWithTheManifestAndTheMemberThatIsWrong) {
  EXPECT_EQ(error_without("verb"), "/p/acme.gather.json: verb: is missing");
  EXPECT_THAT(error_with("roles", {"preset", "reader"}),
              HasSubstr("roles: preset stands alone: a preset has no library"));
  EXPECT_THAT(error_with("verb", "Acme"),
              HasSubstr("verb: \"Acme\" must be small letters, digits, hyphens and underscores"));
  EXPECT_THAT(error_with("arguments", "IN"),
              HasSubstr("arguments: expected an array, found \"IN\""));
  EXPECT_THAT(error_with("chain", {"acme.reader"}),
              HasSubstr("chain: a reader and a writer are needed"));
  EXPECT_THAT(error_with("to", "pt"), HasSubstr("chain: must be there, or else to, and not both"));
  EXPECT_THAT(error_without("chain"), HasSubstr("chain: must be there, or else to, and not both"));
  EXPECT_THAT(error_with("input", ""), HasSubstr("input: must not be empty"));
  EXPECT_THAT(error_with("sets", {"threads"}),
              HasSubstr("sets: \"threads\" is not like PLUGIN.OPTION=VALUE"));
  EXPECT_THAT(error_with("sets", {"acme.raeder.tag=x"}),
              HasSubstr("sets: \"acme.raeder\" is not a plugin of the chain; did you mean "
                        "\"acme.reader\"?"));
}

TEST(Preset, IsRefusedWithAPlaceThatNothingFills) {
  EXPECT_THAT(
      error_with("folder", "{the-tga}"),
      HasSubstr("folder: \"the-tga\" is neither an argument nor PLUGIN.OPTION of the chain; "
                "did you mean \"the-tag\"?"));
  EXPECT_THAT(error_with("job", "{acme.other.rank}"),
              HasSubstr("job: \"acme.other.rank\" is neither an argument nor"));
  EXPECT_THAT(
      error_with("output", "{OUT}/{the-tag}"),
      HasSubstr("output: \"the-tag\" may stay empty; it must be required, or have a default, "
                "or be written as NAME:OTHERWISE"));
  for (const char* text : {"{the-tag", "the-tag}", "{the{-tag}}"}) {
    EXPECT_THAT(error_with("folder", text), HasSubstr("\" has a brace without the other")) << text;
  }
}

TEST(Preset, IsRefusedWithAnArgumentThatCannotBe) {
  EXPECT_THAT(error_with_argument(R"({"names": [], "help": "h"})"),
              HasSubstr("arguments[2]: names: at least one is needed"));
  for (const char* name : {"tag", "---tag", "--Tag", "-tag", "--", ""}) {
    const Json argument = {{"names", {name}}, {"help", "h"}};
    EXPECT_THAT(error_with_argument(argument.dump().c_str()),
                HasSubstr("\" is not like --tag or -t, nor alone and like IN"))
        << name;
  }
}

TEST(Preset, HasEachNameOnce) {
  Json manifest = gather();
  manifest["arguments"][4]["names"] = {"-t"};
  EXPECT_THAT(error_of_manifest(manifest), HasSubstr("arguments[4]: names: \"-t\" is there twice"));
  EXPECT_THAT(error_with_argument(R"({"names": ["--a-b", "--a_b"], "help": "h"})"),
              HasSubstr("names: \"--a-b\" is there twice"));
}

TEST(Preset, HasArgumentsWhoseMembersAgree) {
  EXPECT_THAT(error_with_argument(R"({"names": ["--x"], "help": ""})"),
              HasSubstr("help: must not be empty"));
  EXPECT_THAT(
      error_with_argument(R"({"names": ["--x"], "help": "h", "value": "N", "choices": ["a"]})"),
      HasSubstr("value: stands in the place of choices"));
  EXPECT_THAT(
      error_with_argument(R"({"names": ["--x"], "help": "h", "choices": ["a"], "default": "b"})"),
      HasSubstr("default: \"b\" is none of a"));
  EXPECT_THAT(error_with_argument(R"({"names": ["X"], "help": "h", "value": "N"})"),
              HasSubstr("names: an argument without dashes takes no value, choices or default"));
  EXPECT_THAT(
      error_with_argument(R"({"names": ["--x"], "help": "h", "required": true})"),
      HasSubstr("names: a flag (no value, no choices) is never required, and has no default"));
  EXPECT_THAT(
      error_with_argument(
          R"({"names": ["--x"], "help": "h", "value": "N", "default": "1", "required": true})"),
      HasSubstr("required: an argument with a default is never missing"));
}

}  // namespace
}  // namespace ckptbridge
