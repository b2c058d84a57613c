#include "core/text/json.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json_object.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string error_of_text(const std::string& text, const JsonRules& rules = {}) {
  return error_of(CKB_CORRUPT, [&] { Json::parse(text, "f", rules); });
}

TEST(Json, IsWrittenAsItWasRead) {
  for (const char* text : {"null", "true", "-1", "18446744073709551615", "0.1", "1e+300", "\"\"",
                           "\"a\\\"\\n\\u0001é\"", "[]", "{}", R"({"b":[1,{"c":[]}],"a":{}})"}) {
    EXPECT_EQ(Json::parse(text).dump(), text);
  }
}

TEST(Json, IsWrittenOnLinesOfTheirOwnWithAnIndent) {
  EXPECT_EQ(Json::parse(R"({"b":[1,[]],"a":{}})").dump(2),
            "{\n  \"b\": [\n    1,\n    []\n  ],\n  \"a\": {}\n}");
}

TEST(Json, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(Json("a\xff").dump(), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(Json("\xc3\xa9").dump(-1, true), "\"\\u00e9\"");
}

TEST(Json, HasNullForNumbersThatJsonLacks) {
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Json, OfBracesIsAnObjectWhereEachPartIsANameAndAValue) {
  EXPECT_EQ((Json{{"a", 1}, {"b", {1, "x"}}}).dump(), R"({"a":1,"b":[1,"x"]})");
  EXPECT_EQ((Json{"a", 1}).dump(), R"(["a",1])");
  EXPECT_EQ(Json::array({{"a", 1}}).dump(), R"([["a",1]])");
}

TEST(Json, KeepsTheOrderOfMembers) {
  Json json;
  json["z"] = 1;
  json["a"].push_back("x");
  json.update({{"m", nullptr}, {"z", 2}});
  EXPECT_EQ(json.dump(), R"({"z":2,"a":["x"],"m":null})");
  json.erase("a");
  EXPECT_FALSE(json.contains("a"));
}

TEST(Json, HoldsIntegersOfEachWidth) {
  EXPECT_EQ(Json(std::uint64_t{7}), Json(7));
  EXPECT_NE(Json(7), Json(7.0));
  EXPECT_EQ(Json::parse("18446744073709551615").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_THROW(Json::parse("18446744073709551615").get<std::int64_t>(), Error);
  EXPECT_THROW(Json(-1).get<std::uint64_t>(), Error);
  EXPECT_THROW(Json(70000).get<std::int16_t>(), Error);
}

TEST(Json, RefusesAMemberThatIsGivenTwiceAndNamesItsPlace) {
  EXPECT_EQ(error_of_text(R"({"a": [0, {"b": 1, "c": 2, "b": 3}]})"), "f: a[1]: b: is given twice");
}

TEST(Json, KeepsTheLastOfRepeatedMembersWhereTheyAreAllowed) {
  std::vector<std::string> repeated;
  const Json json =
      Json::parse(R"({"a": 1, "b": 2, "a": 3, "a": 4})", "f", {.repeated = &repeated});
  EXPECT_EQ(json.dump(), R"({"a":4,"b":2})");
  EXPECT_THAT(repeated, ElementsAre("a", "a"));
}

TEST(Json, RefusesANulUnlessItIsAllowed) {
  EXPECT_EQ(error_of_text(R"({"a": "b\u0000"})"), R"(f: the string "b\u0000" contains a NUL)");
  EXPECT_EQ(error_of_text(R"({"a\u0000": 1})"), R"(f: the string "a\u0000" contains a NUL)");
  EXPECT_EQ(Json::parse(R"("\u0000")", "f", {.allow_nul = true}).text(), std::string(1, '\0'));
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_THAT(error_of_text(std::string(1000000, '[')), HasSubstr("is nested deeper than 64"));
  const std::string deepest = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(Json::parse(deepest).dump(), deepest);
}

TEST(Json, SaysWhereATextIsNotJson) {
  EXPECT_THAT(error_of_text("{\n\"a\": }"),
              StartsWith("f: not JSON: parse error at line 2, column 6"));
  for (const char* text : {"", "{", "[1,]", "1 2", "\"\xff\"", "nul"}) {
    EXPECT_THAT(error_of_text(text), StartsWith("f: not JSON: ")) << text;
  }
}

TEST(Json, HandsOutTheMembersOfALargeObjectOneByOne) {
  std::vector<std::string> seen;
  Json::parse_members(
      R"({"a": {"x": [1]}, "b": 2, "a": []})", "f",
      [&](const std::string& name, const Json& value) { seen.push_back(name + value.dump()); });
  EXPECT_THAT(seen, ElementsAre(R"(a{"x":[1]})", "b2", "a[]"));
  for (const char* text : {"[]", "1", "[{}]"}) {
    EXPECT_THAT(error_of(CKB_CORRUPT, [&] { Json::parse_members(text, "f", [](auto&&...) {}); }),
                StartsWith("f: expected an object, found "));
  }
}

TEST(JsonObject, SaysWhatWasExpectedAndWhatWasFound) {
  const Json json = Json::parse(R"({"n": "1", "s": [1, -2], "o": {"p": 3}, "list": [{}, 4]})");
  JsonObject object(json, "f");
  const auto error = [&](auto&& read) { return error_of(CKB_CORRUPT, read); };
  EXPECT_EQ(error([&] { object.integer("n"); }), "f: n: expected an integer, found \"1\"");
  EXPECT_EQ(error([&] { object.integer("n", 1, 9); }),
            "f: n: expected an integer from 1 to 9, found \"1\"");
  EXPECT_EQ(error([&] { object.boolean("n"); }), "f: n: expected true or false, found \"1\"");
  EXPECT_EQ(error([&] { object.string("absent"); }), "f: absent: is missing");
  EXPECT_EQ(error([&] { object.sizes("s"); }),
            "f: s[1]: expected an integer of at least 0, found -2");
  EXPECT_EQ(error([&] { object.object("o").string("p"); }), "f: o: p: expected a string, found 3");
  EXPECT_EQ(error([&] { object.objects("list"); }), "f: list[1]: expected an object, found 4");
}

TEST(JsonObject, CutsLongValuesInMessages) {
  const Json json = {{"a", std::string(200, 'x')}};
  EXPECT_EQ(error_of(CKB_CORRUPT, [&] { JsonObject(json, "f").integer("a"); }),
            "f: a: expected an integer, found \"" + std::string(79, 'x') + "…");
}

TEST(JsonObject, RefusesMembersThatNobodyReadExceptAComment) {
  const Json json = {{"comment", "for people"}, {"colour", 1}, {"colur", 2}};
  JsonObject object(json, "f");
  object.integer("colour");
  EXPECT_EQ(error_of(CKB_CORRUPT, [&] { object.require_all_read(); }),
            "f: colur: unknown member; did you mean \"colour\"?");
}

}  // namespace
}  // namespace ckptbridge
