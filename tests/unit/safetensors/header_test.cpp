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
            "f: a: is given twice");
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("f: a: dtype: is given twice"));
}

TEST(SafetensorsHeader, RefusesWhatIsNoHeader) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "does not begin with {"},
      {" {}", "does not begin with {"},
      {"[]", "does not begin with {"},
      {"{", "f: not JSON: "},
      {"{} x", "f: not JSON: "},
      {"{\"a\xff\":1}", "f: not JSON: "},
      {R"({"a":1})", "f: a: expected an object, found 1"},
      {R"({"a":[]})", "f: a: expected an object, found []"},
      {R"({"a":{}})", "f: a: dtype: is missing"},
      {R"({"a":{"dtype":"U8","shape":[0]}})", "f: a: data_offsets: is missing"},
      {R"({"a":{"dtype":7}})", "f: a: dtype: expected a string, found 7"},
      {R"({"a":{"dtype":"F31"}})", "dtype: expected a type such as \"BF16\", found \"F31\""},
      {R"({"a":{"dtype":"F6_E2M3"}})", "F6_E2M3 elements share bytes"},
      {R"({"a":{"dtype":"U8","shape":"x"}})", "f: a: shape: expected an array, found \"x\""},
      {R"({"a":{"dtype":"U8","shape":[-1]}})", "shape[0]: expected an integer of at least 0"},
      {R"({"a":{"dtype":"U8","shape":[1.5]}})", "at least 0, found 1.5"},
      {R"({"a":{"dtype":"U8","shape":[[1]]}})", "at least 0, found [1]"},
      {R"({"a":{"dtype":"U8","shape":{"b":1}}})", "expected an array, found {\"b\":1}"},
      {R"({"a":{"dtype":"U8","shape":[9223372036854775808]}})", "found 9223372036854775808"},
      {R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0]}})", "expected 2 numbers, found [0]"},
      {R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"stride":[1]}})",
       "f: a: stride: unknown member"},
      {R"({"a\u0000b":{}})", "NUL"},
      {R"({"a":{"dtype":"U8","dtype":"U8"}})", "f: a: dtype: is given twice"},
      {R"({"__metadata__":{"a":1}})", "f: __metadata__: a: expected a string, found 1"},
      {R"({"__metadata__":{"a":{}}})", "f: __metadata__: a: expected a string, found {}"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_THAT(error_of(text, 0), HasSubstr(problem)) << text;
  }
}

TEST(SafetensorsHeader, SurvivesDeepNesting) {
  EXPECT_THAT(error_of("{\"a\":{\"shape\":" + std::string(1'000'000, '['), 0),
              HasSubstr("is nested deeper than 64"));
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
