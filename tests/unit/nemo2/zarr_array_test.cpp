#include "plugins/nemo2/zarr_array.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::nemo2 {
namespace {

using testing::HasSubstr;
using Sizes = std::vector<std::int64_t>;

// A valid .zarray with one member set to another value, or without it (nothing).
std::string with(const char* member, const std::optional<Json>& value) {
  Json json = {{"shape", {4, 6}},       {"chunks", {2, 6}},   {"dtype", "bfloat16"},
               {"fill_value", nullptr}, {"filters", nullptr}, {"compressor", nullptr},
               {"order", "C"},          {"zarr_format", 2}};
  json.erase(member);
  if (value) json[member] = *value;
  return json.dump();
}

std::string problem(const char* member, const std::optional<Json>& value) {
  return error_of([&] { parse_zarray(with(member, value), "w/.zarray"); });
}

TEST(ZarrArray, IsWrittenAsZarrWritesIt) {
  EXPECT_EQ(zarray_text({kBFloat16, {4, 6}, {2, 6}}, "w"), R"({
    "chunks": [
        2,
        6
    ],
    "compressor": null,
    "dtype": "bfloat16",
    "fill_value": null,
    "filters": null,
    "order": "C",
    "shape": [
        4,
        6
    ],
    "zarr_format": 2
})");
  EXPECT_THAT(zarray_text({kBool, {}, {}}, "w"), HasSubstr("\"chunks\": [],"));
}

TEST(ZarrArray, HasANameForEachTypeOfTheFormat) {
  for (const Dtype dtype : {kBFloat16, kFloat64, kFloat32, kFloat16, kInt64, kInt32, kInt16, kInt8,
                            kUInt64, kUInt32, kUInt16, kUInt8, kBool, kComplex64, kComplex128}) {
    EXPECT_TRUE(parse_zarray(zarray_text({dtype, {4}, {4}}, "w"), "w").dtype == dtype)
        << dtype_name(dtype);
  }
  EXPECT_THAT(error_of([] {
                zarray_text({kFloat8E4M3FN, {4}, {4}}, "w");
              }),
              HasSubstr("w: zarr checkpoints have no name for float8_e4m3fn"));
}

TEST(ZarrArray, CountsChunksAndNamesThem) {
  const ZarrArray array{kFloat32, {5, 6}, {2, 6}};
  EXPECT_EQ(array.grid(), (Sizes{3, 1}));
  EXPECT_EQ(array.chunk_size(), 48u);
  EXPECT_EQ(array.chunk_name({2, 0}), "2.0");
  EXPECT_EQ((ZarrArray{kFloat32, {}, {}}).chunk_name({}), "0");
  Sizes position{0, 0};
  EXPECT_TRUE(advance(position, array.grid()));
  EXPECT_EQ(position, (Sizes{1, 0}));
  EXPECT_TRUE(advance(position, array.grid()));
  EXPECT_FALSE(advance(position, array.grid()));
  Sizes none;
  EXPECT_FALSE(advance(none, {}));
}

TEST(ZarrArray, NeedsEveryMember) {
  for (const char* member :
       {"shape", "chunks", "dtype", "filters", "compressor", "order", "zarr_format"}) {
    EXPECT_THAT(problem(member, std::nullopt),
                HasSubstr(std::string("w/.zarray: ") + member + ": is missing"));
  }
}

TEST(ZarrArray, RefusesWhatIsNotRead) {
  EXPECT_THAT(problem("zarr_format", 3), HasSubstr("zarr_format: expected 2, found 3"));
  EXPECT_THAT(problem("compressor", Json{{"id", "zlib"}}), HasSubstr("expected null"));
  EXPECT_THAT(problem("filters", Json::array({1})), HasSubstr("expected null"));
  EXPECT_THAT(
      problem("dtype", ">f4"),
      HasSubstr(
          "dtype: expected a type of torch's such as \"bfloat16\" or \"<f4\", found \">f4\""));
  EXPECT_THAT(problem("dtype", "<V2"), HasSubstr("found \"<V2\""));
  EXPECT_THAT(problem("dtype", Json::array({1})), HasSubstr("found [1]"));
  EXPECT_THAT(problem("order", "X"), HasSubstr("expected \"C\" or \"F\""));
  EXPECT_THAT(problem("dimension_separator", ".."),
              HasSubstr("dimension_separator: expected \".\" or \"/\", found \"..\""));
}

TEST(ZarrArray, RefusesSizesThatCannotBe) {
  EXPECT_THAT(problem("shape", Json{-1, 6}),
              HasSubstr("shape[0]: expected an integer of at least 0, found -1"));
  EXPECT_THAT(problem("shape", Json{1.5, 6}),
              HasSubstr("shape[0]: expected an integer of at least 0, found 1.5"));
  EXPECT_THAT(problem("shape", Json{UINT64_MAX, 6}), HasSubstr("found 18446744073709551615"));
  EXPECT_THAT(problem("shape", Json{INT64_MAX, 6}), HasSubstr("cannot be counted"));
  EXPECT_THAT(problem("shape", Json::array({4})), HasSubstr("expected 1 sizes"));
  EXPECT_THAT(problem("chunks", Json{0, 6}),
              HasSubstr("chunks[0]: expected an integer of at least 1, found 0"));
  EXPECT_THAT(problem("chunks", Json{INT64_MAX, INT64_MAX}), HasSubstr("cannot be counted"));
  EXPECT_THAT(error_of([] { parse_zarray("{", "w"); }), HasSubstr("w: not JSON: "));
}

}  // namespace
}  // namespace ckptbridge::nemo2
