#include "core/chain/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Manifest mapper() {
  return parse_manifest(R"({
    "manifest_version": 1, "id": "evo2-mapper", "version": "0.1.0", "abi": "1.0",
    "library": "evo2-mapper.so", "roles": ["transform"], "summary": "Evo2 names",
    "options": [
      {"name": "model-size", "type": "string", "default": "auto"},
      {"name": "profile", "type": "path"},
      {"name": "blocks", "type": "integer"},
      {"name": "scale", "type": "number"},
      {"name": "strict", "type": "boolean", "default": false},
      {"name": "mode", "type": "choice", "choices": ["fast", "safe"], "default": "safe"},
      {"name": "only", "type": "string", "repeated": true}]})",
                        "/p/evo2-mapper.json");
}

std::string json_of(const std::vector<std::string>& words) {
  std::vector<OptionText> given;
  for (const auto& word : words) given.push_back(split_option(word));
  return options_json(mapper(), given, "/somewhere");
}

std::string error_for(const std::vector<std::string>& words) {
  return error_of(CKB_INVALID_ARGUMENT, [&] { json_of(words); });
}

TEST(Options, NotGivenHaveTheirDefaults) {
  EXPECT_EQ(json_of({}), R"({"model-size":"auto","strict":false,"mode":"safe","only":[]})");
}

TEST(Options, AreTypedAsDeclared) {
  EXPECT_EQ(json_of({"blocks=-3", "scale=0.1", "strict=yes", "mode=fast", "model_size=7"}),
            R"({"model-size":"7","blocks":-3,"scale":0.1,"strict":true,"mode":"fast","only":[]})");
}

TEST(Options, MayHoldAnEqualsSign) {
  EXPECT_THAT(json_of({"model-size=a=b"}), HasSubstr(R"("model-size":"a=b")"));
}

TEST(Options, ThatAreBooleanNeedNoValue) {
  EXPECT_THAT(json_of({"strict"}), HasSubstr(R"("strict":true)"));
  EXPECT_EQ(error_for({"blocks"}),
            "evo2-mapper: option blocks needs a value; blocks takes an integer");
}

TEST(Options, ThatAreRelativePathsBeginAtTheFolder) {
  EXPECT_THAT(json_of({"profile=a/b.json"}), HasSubstr(R"("profile":"/somewhere/a/b.json")"));
  EXPECT_THAT(json_of({"profile=/a b"}), HasSubstr(R"("profile":"/a b")"));
  EXPECT_EQ(error_for({"profile="}), "evo2-mapper: option profile: \"\" is not a path");
}

TEST(Options, ThatAreRepeatedAreAnArray) {
  EXPECT_THAT(json_of({"only=a", "only=b"}), HasSubstr(R"("only":["a","b"])"));
  EXPECT_THAT(json_of({"only=a"}), HasSubstr(R"("only":["a"])"));
}

TEST(Options, GivenTwiceAreRefused) {
  EXPECT_EQ(error_for({"model-size=7b", "model_size=40b"}),
            "evo2-mapper: option model-size is given 2 times: \"7b\", then \"40b\"; give one");
}

TEST(Options, OfAnotherTypeAreRefused) {
  EXPECT_EQ(error_for({"blocks=abc"}), "evo2-mapper: option blocks: \"abc\" is not an integer");
  for (const char* number : {"", "1.0", "9223372036854775808", " 1", "1 ", "0x10"}) {
    EXPECT_THAT(error_for({"blocks=" + std::string(number)}), HasSubstr("not an integer"));
  }
  for (const char* number : {"", "nan", "inf", "1e999", "1,5"}) {
    EXPECT_THAT(error_for({"scale=" + std::string(number)}), HasSubstr("not a number"));
  }
  EXPECT_THAT(error_for({"strict=maybe"}), HasSubstr("not true or false"));
  EXPECT_EQ(error_for({"mode=fats"}),
            "evo2-mapper: option mode: \"fats\" is not one of fast, safe; did you mean \"fast\"?");
}

TEST(Options, ThatThereAreNotAreRefused) {
  EXPECT_EQ(error_for({"modle-size=7b"}),
            "evo2-mapper: there is no option \"modle-size\"; did you mean \"model-size\"?");
  EXPECT_THAT(error_for({"x=1"}), HasSubstr("; there are model-size, profile"));
}

TEST(Options, ThatAreNotUtf8AreRefused) {
  EXPECT_EQ(error_for({"model-size=\xff"}), "evo2-mapper: an option's value is not UTF-8 text");
  EXPECT_THAT(error_for({"model-size=\xff", "model-size=b"}), HasSubstr("2 times"));
}

TEST(Options, ThatAreRequiredMustBeGiven) {
  Manifest manifest = mapper();
  manifest.options[2].required = true;
  manifest.options[2].help = "How many";
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT, [&] { options_json(manifest, {}, "/"); }),
            "evo2-mapper: option blocks is missing (How many); blocks takes an integer");
}

TEST(OptionsOfAChain, GoToThePluginThatDeclaresThem) {
  Manifest reader;
  reader.id = "zero1-reader";
  reader.options.emplace_back().name = "tag";
  reader.options.emplace_back().name = "mode";
  const Manifest transform = mapper();
  const std::vector<const Manifest*> chain = {&reader, &transform};
  const std::vector<OptionText> given = {{"tag", "t"}, {"evo2_mapper.mode", "fast"}};
  require_one_owner(chain, given);
  const auto first = options_for(reader, given);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].name, "tag");
  const auto second = options_for(transform, given);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].name, "mode");
  EXPECT_EQ(second[0].value, "fast");
}

TEST(OptionsOfAChain, ThatSeveralDeclareNeedTheirPlugin) {
  Manifest reader;
  reader.id = "acme.reader";
  reader.options.emplace_back().name = "mode";
  const Manifest transform = mapper();
  const std::vector<const Manifest*> chain = {&reader, &transform};
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT,
                     [&] {
                       require_one_owner(chain, {{"mode", "fast"}});
                     }),
            "option mode is taken by several plugins of the chain; write one of "
            "--acme.reader.mode, --evo2-mapper.mode");
  require_one_owner(chain, {{"acme.reader.mode", "x"}});
  EXPECT_EQ(
      error_of(CKB_INVALID_ARGUMENT,
               [&] {
                 require_one_owner(chain, {{"mdoe", "x"}});
               }),
      "no plugin of the chain (acme.reader, evo2-mapper) has an option \"mdoe\"; did you mean "
      "\"mode\"?");
}

TEST(OptionsOfAChain, ThatAPluginOutsideItHasAreToldToBelongThere) {
  Manifest reader;
  reader.id = "acme.reader";
  const Manifest unused = mapper();
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT,
                     [&] {
                       require_one_owner({&reader}, {{"model_size", "7b"}}, {&unused});
                     }),
            "no plugin of the chain (acme.reader) has an option \"model_size\"; it belongs to "
            "evo2-mapper, which this conversion does not need");
}

TEST(OptionsOfAChain, HaveAValueAsTextGivenOrNot) {
  const Manifest transform = mapper();
  EXPECT_EQ(option_value(transform, "model-size", {}), "auto");
  EXPECT_EQ(option_value(transform, "model-size", {{"model_size", "7b"}}), "7b");
  EXPECT_EQ(option_value(transform, "strict", {{"strict", std::nullopt}}), "true");
  EXPECT_EQ(option_value(transform, "blocks", {}), std::nullopt);
}

}  // namespace
}  // namespace ckptbridge
