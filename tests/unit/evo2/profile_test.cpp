#include "plugins/evo2/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const Catalogue& catalogue() {
  static const Catalogue catalogue(paths::profiles());
  return catalogue;
}

std::string error_of_profile(const std::string& text) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("mine.json", text);
  const std::string message = error_of([&] { catalogue().read(file); });
  const std::string prefix = folder.path().string() + "/";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

TEST(Catalogue, ListsSizesByNumber) {
  std::vector<std::string> names;
  for (const Profile& profile : catalogue().profiles()) names.push_back(profile.name);
  EXPECT_THAT(names, ElementsAre("1b", "1b_nv", "7b", "7b_arc_longcontext", "7b_nv", "20b", "40b",
                                 "40b_arc_longcontext", "40b_nv", "test", "test_nv"));
}

TEST(Catalogue, FindsASizeByItsAlias) {
  EXPECT_EQ(catalogue().find("evo2_40b").name, "40b_arc_longcontext");
  EXPECT_EQ(catalogue().find("7b_arc_1m").name, "7b_arc_longcontext");
}

TEST(Catalogue, SuggestsAnotherNameForATypingError) {
  const std::string message = error_of([] { catalogue().find("evo2_7b_bsae"); });
  EXPECT_THAT(message,
              StartsWith("there is no model size evo2_7b_bsae; known are 1b, 1b_nv, 7b, "));
  EXPECT_THAT(message, HasSubstr("; did you mean \"evo2_7b_base\"?"));
}

TEST(Profile, InheritsWhatItDoesNotSay) {
  const Profile& profile = catalogue().find("40b_arc_longcontext");
  EXPECT_EQ(profile.integer("hidden_size"), 8192);
  EXPECT_EQ(profile.integer("ffn_hidden_size"), 22528);
  EXPECT_EQ(profile.integer("rotary_base"), 1000000);
  EXPECT_EQ(profile.integer("make_vocab_size_divisible_by"), 8);
  EXPECT_EQ(profile.nemo_class, "Hyena40bARCLongContextConfig");
  EXPECT_TRUE(profile.overrides.empty());
}

TEST(Profile, OfAUserOverridesItsParentsClass) {
  const Profile profile = catalogue().read(golden("tiny.json"));
  EXPECT_EQ(profile.nemo_class, "HyenaTestConfig");
  EXPECT_THAT(profile.overrides,
              ElementsAre("num_layers", "hidden_size", "num_attention_heads", "ffn_hidden_size",
                          "num_groups_hyena", "num_groups_hyena_medium", "num_groups_hyena_short",
                          "hybrid_override_pattern", "seq_length"));
}

TEST(Profile, CanSayThatNeMoHasNoClass) {
  EXPECT_EQ(catalogue().find("20b").nemo_class, "");
  EXPECT_EQ(catalogue().find("20b").integer("num_layers"), 24);
}

TEST(Profile, KeepsTheOrderOfFieldsWhenOneMoreIsOverridden) {
  const Profile profile = with_override(catalogue().read(golden("tiny.json")), catalogue().fields(),
                                        "use_subquadratic_ops", true);
  EXPECT_EQ(profile.overrides.back(), "use_subquadratic_ops");
  EXPECT_TRUE(profile.flag("use_subquadratic_ops"));
}

TEST(Profile, WithAnUnknownMemberIsAnErrorThatSuggestsOne) {
  EXPECT_EQ(error_of_profile(
                R"({"profile_version": 1, "name": "x", "inherits": "7b", "hiden_size": 64})"),
            "mine.json: hiden_size: unknown member; did you mean \"hidden_size\"?");
}

TEST(Profile, ChecksTypesAndRanges) {
  const std::string begin = R"({"profile_version": 1, "name": "x", "inherits": "7b", )";
  EXPECT_EQ(error_of_profile(begin + R"("hidden_size": "64"})"),
            "mine.json: hidden_size: expected an integer of at least 1, found \"64\"");
  EXPECT_THAT(error_of_profile(begin + R"("hidden_size": 0})"), HasSubstr("of at least 1"));
  EXPECT_THAT(error_of_profile(begin + R"("hidden_size": 18446744073709551615})"),
              HasSubstr("found 18446744073709551615"));
  EXPECT_THAT(error_of_profile(begin + R"("hidden_size": 1.5})"), HasSubstr("found 1.5"));
  EXPECT_THAT(error_of_profile(begin + R"("hidden_size": null})"), HasSubstr("found null"));
  EXPECT_THAT(error_of_profile(begin + R"("use_te": 1})"), HasSubstr("true or false"));
  EXPECT_THAT(error_of_profile(begin + R"("params_dtype": "int8"})"), HasSubstr("float32"));
  EXPECT_THAT(error_of_profile(begin + R"("activation_func": "torch.exp"})"),
              HasSubstr("cannot set this field"));
  EXPECT_EQ(error_of_profile(begin + R"("seq_len_interpolation_factor": null})"), "");
}

TEST(Profile, ChecksThatThePatternHasAllLayers) {
  const std::string begin = R"({"profile_version": 1, "name": "x", "inherits": "7b", )";
  EXPECT_THAT(error_of_profile(begin + R"("num_layers": 31})"),
              HasSubstr("num_layers is 31, but hybrid_override_pattern has 32 letters"));
  EXPECT_THAT(error_of_profile(begin + R"("hybrid_override_pattern": "SDX"})"),
              HasSubstr("expected 1 to 4096 letters of SDH*, found \"SDX\""));
}

TEST(Profile, WithoutAParentMustSetAllDimensions) {
  EXPECT_EQ(error_of_profile(R"({"profile_version": 1, "name": "x"})"),
            "mine.json: num_layers is missing: set it, or inherit it from a size");
}

TEST(Profile, HasANameOfLettersAndAClassThatPythonCanName) {
  EXPECT_THAT(error_of_profile(R"({"profile_version": 1, "name": "a b", "inherits": "7b"})"),
              HasSubstr("name: expected letters, digits, '_', '-' and '.'"));
  EXPECT_THAT(error_of_profile(
                  R"({"profile_version": 1, "name": "x", "inherits": "7b", "nemo_class": "a-b"})"),
              HasSubstr("nemo_class: expected the name of a Python class"));
}

TEST(Profile, CannotInheritFromItself) {
  EXPECT_THAT(error_of_profile(R"({"profile_version": 1, "name": "x", "inherits": "x"})"),
              HasSubstr("inherits from itself"));

  const TemporaryFolder folder;
  std::filesystem::copy(paths::profiles(), folder.path(), std::filesystem::copy_options::recursive);
  folder.write("a.json", R"({"profile_version": 1, "name": "a", "inherits": "b"})");
  folder.write("b.json", R"({"profile_version": 1, "name": "b", "inherits": "a"})");
  EXPECT_EQ(error_of([&] { Catalogue{folder.path()}; }),
            (folder.path() / "a.json").string() + ": inherits from itself");
}

TEST(Profile, CannotTakeTheNameOfASize) {
  EXPECT_THAT(error_of_profile(R"({"profile_version": 1, "name": "evo2_7b", "inherits": "7b"})"),
              HasSubstr("is the name of a size"));
}

TEST(Profile, NamesTheLineOfBrokenJson) {
  EXPECT_THAT(error_of_profile("{\n\"name\": \n}"),
              StartsWith("mine.json: not JSON: parse error at line 3, column 1: "));
  EXPECT_EQ(error_of_profile(R"({"hidden_size": 6e666})"),
            "mine.json: not JSON: number overflow parsing '6e666'");
  EXPECT_THAT(error_of_profile("[]"), HasSubstr("mine.json: expected an object, found []"));
  EXPECT_THAT(error_of_profile(std::string(200, '[')), HasSubstr("nested deeper than 64"));
  EXPECT_THAT(error_of_profile(R"({"name": "a", "name": "b"})"),
              HasSubstr("mine.json: name: is given twice"));
}

}  // namespace
}  // namespace ckptbridge::evo2
