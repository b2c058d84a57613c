#include "plugins/safetensors/header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/safetensors/model_files.h"

namespace ckptbridge::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

// The message for a header in front of `size` bytes; "" when it is right.
std::string error_of(const std::string& json, std::uint64_t size) {
  try {
    parse_header(json, size, "f");
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == CKB_CORRUPT || error.code() == CKB_UNSUPPORTED);
    return error.what();
  }
  return "";
}

std::string entry(const std::string& name, int begin, int end, const std::string& dtype = "U8") {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":[)" + std::to_string(end - begin) +
         R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

TEST(SafetensorsHeader, HoldsTensorsInTheirOrderAndMetadata) {
  const Header header = parse_header(R"({"b":{"data_offsets":[0,4],"dtype":"BF16","shape":[2,1]},)"
                                     R"("__metadata__":{"format":"pt"},)" +
                                         entry("a", 4, 7) + "}   ",
                                     7, "f");
  ASSERT_EQ(header.entries.size(), 2u);
  EXPECT_EQ(header.entries[0].name, "b");
  EXPECT_EQ(header.entries[0].dtype, kBFloat16);
  EXPECT_THAT(header.entries[0].shape, ElementsAre(2, 1));
  EXPECT_EQ(header.entries[1].begin, 4u);
  EXPECT_EQ(header.entries[1].end, 7u);
  EXPECT_THAT(header.metadata, ElementsAre(Pair("format", "pt")));
}

TEST(SafetensorsHeader, MayHaveScalarsAndEmptyTensors) {
  EXPECT_EQ(error_of(R"({"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                     R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]}})",
                     8),
            "");
  EXPECT_EQ(error_of("{}", 0), "");
}

TEST(SafetensorsHeader, NamesAGap) {
  EXPECT_EQ(error_of("{" + entry("a", 0, 2) + "," + entry("b", 3, 5) + "}", 5),
            "f: bytes [2, 3) of the tensors belong to none");
}

TEST(SafetensorsHeader, NamesTensorsThatOverlap) {
  EXPECT_EQ(error_of("{" + entry("a", 0, 3) + "," + entry("b", 2, 5) + "}", 5),
            "f: \"b\": bytes [2, 5) are those of \"a\", too");
  EXPECT_THAT(error_of("{" + entry("a", 0, 3) +
                           R"(,"e":{"dtype":"U8","shape":[0],)"
                           R"("data_offsets":[1,1]}})",
                       3),
              HasSubstr("are those of \"a\""));
}

TEST(SafetensorsHeader, NamesWhatIsMissingOrTooMuchAtTheEnd) {
  EXPECT_EQ(error_of("{" + entry("a", 0, 3) + "}", 2),
            "f: has 2 bytes of tensors, its header 3: the file is cut short");
  EXPECT_THAT(error_of("{" + entry("a", 0, 3) + "}", 4), HasSubstr("something follows them"));
}

TEST(SafetensorsHeader, RefusesSizesThatAreNotTheTensors) {
  for (const char* text : {
           R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
           R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
           R"({"a":{"dtype":"F64","shape":[4611686018427387904,2],"data_offsets":[0,0]}})",
       }) {
    EXPECT_THAT(error_of(text, 4), StartsWith("f: \"a\": data_offsets [")) << text;
  }
}

TEST(SafetensorsHeader, RefusesNamesThatAreThereTwice) {
  EXPECT_EQ(error_of("{" + entry("a", 0, 1) + "," + entry("a", 1, 2) + "}", 2),
            "f: \"a\": is there twice");
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("\"dtype\" is there twice"));
}

TEST(SafetensorsHeader, RefusesWhatIsNoHeader) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "does not begin with {"},
      {" {}", "does not begin with {"},
      {"[]", "does not begin with {"},
      {"{", "is not JSON"},
      {"{} x", "is not JSON"},
      {"{\"a\xff\":1}", "is not JSON"},
      {R"({"a":1})", "is a number, expected an object"},
      {R"({"a":[]})", "is a list, expected an object"},
      {R"({"a":{}})", "has no \"dtype\""},
      {R"({"a":{"dtype":"U8","shape":[0]}})", "has no \"data_offsets\""},
      {R"({"a":{"dtype":7}})", "\"dtype\" is a number"},
      {R"({"a":{"dtype":"F31"}})", "unknown dtype \"F31\""},
      {R"({"a":{"dtype":"F6_E2M3"}})", "F6_E2M3 elements share bytes"},
      {R"({"a":{"shape":"x"}})", "\"shape\" is text"},
      {R"({"a":{"shape":[-1]}})", "\"shape\" is a negative number"},
      {R"({"a":{"shape":[1.5]}})", "is a number that is not whole"},
      {R"({"a":{"shape":[[1]]}})", "\"shape\" is a list"},
      {R"({"a":{"shape":{"b":1}}})", "a value is an object"},
      {R"({"a":{"shape":[9223372036854775808]}})", "is too large"},
      {R"({"a":{"data_offsets":[0]}})", "data_offsets are 1 numbers, expected 2"},
      {R"({"a":{"stride":[1]}})", "unknown member \"stride\""},
      {R"({"a\u0000b":{}})", "NUL"},
      {R"({"__metadata__":{"a":1}})", "\"a\" is a number"},
      {R"({"__metadata__":{"a":{}}})", "a value is an object"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_THAT(error_of(text, 0), HasSubstr(problem)) << text;
  }
}

TEST(SafetensorsHeader, SurvivesDeepNesting) {
  EXPECT_THAT(error_of("{\"a\":{\"shape\":" + std::string(1'000'000, '['), 0),
              HasSubstr("\"shape\" is a list"));
}

TEST(SafetensorsIndex, RefusesFilesOutsideTheFolder) {
  for (const char* file : {"../a", "a/b", "/a", "..", ".", "", "a\\u0000b"}) {
    const std::string text = std::string(R"({"weight_map":{"w":")") + file + "\"}}";
    EXPECT_THROW(parse_index(text, "i"), Error) << file;
  }
  EXPECT_THROW(parse_index(R"({"weight_map":{"w":1}})", "i"), Error);
  EXPECT_THROW(parse_index(R"({"weight_map":[]})", "i"), Error);
  EXPECT_THROW(parse_index("[", "i"), Error);
  EXPECT_THAT(parse_index(R"({"weight_map":{"w":"a.safetensors"}})", "i"),
              ElementsAre(Pair("w", "a.safetensors")));
}

}  // namespace
}  // namespace ckptbridge::safetensors
