#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/chain/chain.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string error_for(const std::vector<std::string>& arguments) {
  return error_of(CKB_INVALID_ARGUMENT, [&] { parse_chain(arguments); });
}

const char* const kLine =
    "ckptbridge run zero3-reader path=IN ! mp-resharder mp-size=1 ! nemo2-zarr-writer path=OUT";

TEST(ChainText, MayComeAsManyArgumentsOrAsOne) {
  const std::vector<std::vector<std::string>> forms = {
      {"zero3-reader", "path=IN", "!", "mp-resharder", "mp-size=1", "!", "nemo2-zarr-writer",
       "path=OUT"},
      {"zero3-reader path=IN ! mp-resharder mp-size=1 ! nemo2-zarr-writer path=OUT"},
      {"zero3-reader path=IN", "!", "mp-resharder mp-size=1 ! nemo2-zarr-writer", "path=OUT"},
      {" zero3-reader 'path=IN'  !\tmp-resharder mp-size=\"1\" ! nemo2-zarr-writer path=O\\UT"}};
  for (const auto& form : forms) EXPECT_EQ(run_line(parse_chain(form)), kLine);
}

TEST(ChainText, KeepsBlanksAndMarksInAnOption) {
  const auto chain = parse_chain({"a", "path=my dir ! x", "!", "b", "path=it's"});
  EXPECT_EQ(chain.input, "my dir ! x");
  EXPECT_EQ(chain.output, "it's");
  EXPECT_EQ(run_line(chain), "ckptbridge run a 'path=my dir ! x' ! b 'path=it'\\''s'");
  const auto again = parse_chain({"a 'path=my dir ! x' ! b 'path=it'\\''s'"});
  EXPECT_EQ(run_line(again), run_line(chain));
}

TEST(ChainText, TakesOptionsWithAndWithoutDashesAndValues) {
  const auto chain = parse_chain({"a path=i ! t --x=1 strict ! b path=o"});
  ASSERT_EQ(chain.steps.size(), 3u);
  ASSERT_EQ(chain.steps[1].options.size(), 2u);
  EXPECT_EQ(chain.steps[1].options[0].name, "x");
  EXPECT_EQ(chain.steps[1].options[0].value, "1");
  EXPECT_EQ(chain.steps[1].options[1].name, "strict");
  EXPECT_EQ(chain.steps[1].options[1].value, std::nullopt);
}

TEST(ChainText, WithPathAwayFromItsEndsIsRefused) {
  EXPECT_EQ(error_for({"a path=i ! t path=x ! b path=o"}),
            "t: path= belongs to the first and the last plugin of a chain");
  EXPECT_EQ(error_for({"a ! b path=o"}), "a: path=IN is missing");
  EXPECT_EQ(error_for({"a path=i ! b"}), "b: path=OUT is missing");
  EXPECT_EQ(error_for({"a path=i ! b path="}), "b: path=OUT is missing");
  EXPECT_EQ(error_for({"a path=i path=j ! b path=o"}), "a: path= is given twice");
}

TEST(ChainText, WithAPluginMissingIsRefused) {
  EXPECT_THAT(error_for({}), HasSubstr("a chain of plugins is missing"));
  EXPECT_THAT(error_for({"a path=i"}), HasSubstr("a reader and a writer at least"));
  EXPECT_EQ(error_for({"!", "a path=i"}), "a plugin is missing before a !");
  EXPECT_EQ(error_for({"a path=i ! ! b path=o"}), "a plugin is missing before a !");
  EXPECT_EQ(error_for({"a path=i !"}), "a plugin is missing after the last !");
  EXPECT_EQ(error_for({"path=i", "!", "b"}), "a plugin is missing before the option path=i");
}

TEST(ChainText, WithoutBlanksAroundTheMarkIsExplained) {
  EXPECT_THAT(error_for({"a!b path=o"}), HasSubstr("put blanks around the !"));
}

TEST(ChainText, WithAnOpenQuoteIsRefused) {
  EXPECT_THAT(error_for({"a 'path=i"}), HasSubstr("a quote (') is not closed"));
  EXPECT_THAT(error_for({"a path=i\\"}), HasSubstr("nothing follows the backslash"));
}

TEST(ChainText, MayComeAsJson) {
  const auto chain = parse_chain_json(R"({"steps": [
      {"plugin": "zero3-reader", "path": "IN"},
      {"plugin": "mp-resharder", "options": {"mp-size": 1}},
      {"plugin": "nemo2-zarr-writer", "path": "OUT"}]})",
                                      "p.json");
  EXPECT_EQ(run_line(chain), kLine);
  const auto many = parse_chain_json(R"({"steps": [
      {"plugin": "a", "path": "i", "options": {"only": ["x", "y"], "strict": true}},
      {"plugin": "b", "path": "o"}]})",
                                     "p.json");
  EXPECT_EQ(run_line(many), "ckptbridge run a path=i only=x only=y strict=true ! b path=o");
}

TEST(ChainText, InBadJsonNamesThePlace) {
  const auto error = [](const char* text) {
    return error_of(CKB_CORRUPT, [&] { parse_chain_json(text, "p.json"); });
  };
  EXPECT_EQ(error(R"({"steps": [{"path": "i"}]})"),
            "p.json: steps[0]: plugin: is missing");
  EXPECT_EQ(error(R"({"steps": [{"plugin": "a", "colour": 1}]})"),
            "p.json: steps[0]: colour: unknown member");
  EXPECT_THAT(error(R"({"steps": [{"plugin": "a", "options": {"x": {}}}]})"),
              HasSubstr("options: x: expected text, a number, true, false, or an array of these, found {}"));
  for (const char* options :
       {R"({"x": "a\u0000b"})", R"({"x\u0000": 1})", R"({"x": ["\u0000"]})"}) {
    const auto text = std::string(R"({"steps": [{"plugin": "a", "options": )") + options + "}]}";
    EXPECT_THAT(error(text.c_str()),
                AllOf(StartsWith("p.json: steps[0]: options: "), EndsWith("contains a NUL")));
  }
  EXPECT_EQ(error(R"([])"), "p.json: expected an object, found []");
  EXPECT_EQ(error(R"({})"), "p.json: steps: is missing");
}

}  // namespace
}  // namespace ckptbridge
