#include "plugins/evo2/expected.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "plugins/evo2/mapper_options.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Data {
  Catalogue catalogue{paths::profiles()};
  NameTable names{paths::profiles(), catalogue.fields()};
};

const Data& data() {
  static const Data data;
  return data;
}

Profile profile_of(const std::string& size) {
  return size == "tiny" ? data().catalogue.read(golden("tiny.json")) : data().catalogue.find(size);
}

std::string line(const std::string& name, const Shape& shape) {
  std::string out = name + " [";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return out + "]\n";
}

std::string source_text(const Expected& expected) {
  std::string out;
  for (const Source& source : expected.sources) {
    if (source.equals.empty()) out += line(source.name, source.shape);
  }
  return out;
}

std::string target_text(const Expected& expected) {
  std::string out;
  for (const Target& target : expected.targets) {
    out += target.is_object() ? target.name + " object\n" : line(target.name, target.shape);
  }
  return out;
}

const Target& target_of(const Expected& expected, const std::string& name) {
  const auto found = std::find_if(expected.targets.begin(), expected.targets.end(),
                                  [&](const Target& target) { return target.name == name; });
  if (found == expected.targets.end()) throw Error(CKB_INTERNAL, "no target " + name);
  return *found;
}

TEST(Expected, SourcesAreThoseOfTheRealCheckpoint) {
  for (const char* size : {"tiny", "test"}) {
    EXPECT_EQ(source_text(expected(profile_of(size), data().names)),
              read_file(golden(std::string(size) + ".sources.txt")));
  }
}

TEST(Expected, TargetsAreThoseOfTheRealStateDict) {
  for (const char* size : {"tiny", "test", "7b_nv"}) {
    EXPECT_EQ(target_text(expected(profile_of(size), data().names)),
              read_file(golden(std::string(size) + ".targets.txt")));
  }
}

TEST(Expected, HoldsForEverySize) {
  for (const auto& row : Json::parse(read_file(golden("digests.json")))) {
    const auto size = row["size"].get<std::string>();
    const Expected all = expected(profile_of(size), data().names);
    if (row["sources"] != "") {
      EXPECT_EQ(digest(source_text(all)), row["sources"].get<std::string>()) << size;
    }
    EXPECT_EQ(digest(target_text(all)), row["targets"].get<std::string>()) << size;
  }
}

TEST(Expected, LaysTheTwoGatesEndToEnd) {
  const Expected all = expected(profile_of("tiny"), data().names);
  const Target& target = target_of(all, "module.decoder.layers.1.mlp.linear_fc1.weight");
  EXPECT_THAT(target.from, ElementsAre("sequential.3.mlp.w1.weight", "sequential.3.mlp.w2.weight"));
  EXPECT_THAT(target.shape, ElementsAre(352, 64));
  EXPECT_EQ(target.concat_dim, 0u);
}

TEST(Expected, CutsFilterColumnsThatNeMoDoesNotUse) {
  const Expected all = expected(profile_of("tiny"), data().names);
  const Target& target = target_of(all, "module.decoder.layers.1.mixer.mixer.filter.decay");
  EXPECT_THAT(target.shape, ElementsAre(16, 128));
  ASSERT_TRUE(target.cut.has_value());
  EXPECT_EQ(target.cut->dim, 1u);
  EXPECT_EQ(target.cut->count, 128u);
}

TEST(Expected, KeepsFiltersInFp32OnlyWhenAsked) {
  const Expected all = expected(profile_of("tiny"), data().names);
  const Target& filter = target_of(all, "module.decoder.layers.2.mixer.mixer.filter.R");
  const Target& bias = target_of(all, "module.decoder.layers.2.mixer.mixer.conv_bias");
  MapperOptions options;
  EXPECT_EQ(options.dtype_of(filter.is_filter, kBFloat16), kBFloat16);
  options.keep_fp32_filters = true;
  EXPECT_EQ(options.dtype_of(filter.is_filter, kBFloat16), kFloat32);
  EXPECT_EQ(options.dtype_of(bias.is_filter, kBFloat16), kBFloat16);
  options.params_dtype = kFloat16;
  EXPECT_EQ(options.dtype_of(bias.is_filter, kBFloat16), kFloat16);
}

TEST(Expected, PutsTheNormOfTwentyBillionOneLayerEarlier) {
  const Expected all = expected(profile_of("20b"), data().names);
  EXPECT_EQ(target_of(all, "module.decoder.final_norm.weight").from.front(),
            "sequential.26.norm.weight");
}

TEST(Expected, NamesLayerNormsByThemselvesWithoutTransformerEngine) {
  const Profile plain =
      with_override(profile_of("test"), data().catalogue.fields(), "use_te", false);
  const Expected all = expected(plain, data().names);
  EXPECT_EQ(target_of(all, "module.decoder.layers.0.norm.weight").from.front(),
            "sequential.2.input_layernorm.weight");
  EXPECT_EQ(target_of(all, "module.decoder.layers.3.input_layernorm.weight").from.front(),
            "sequential.5.input_layernorm.weight");
  EXPECT_THROW(target_of(all, "module.decoder.final_norm._extra_state"), Error);
}

TEST(Expected, NamesTheFieldsThatDoNotDivide) {
  const Profile odd = with_override(profile_of("test"), data().catalogue.fields(),
                                    "num_attention_heads", std::int64_t{3});
  EXPECT_THAT(error_of([&] { expected(odd, data().names); }),
              HasSubstr("test.json: \"hidden_size / num_attention_heads / 2\" has a remainder"));
}

TEST(RequireConvertible, RefusesASizeWithoutAClassInNeMo) {
  EXPECT_THAT(error_of([] { require_convertible(profile_of("20b"), data().names); }),
              HasSubstr("20b: NeMo 2.6 has no configuration class"));
  EXPECT_EQ(error_of([] { require_convertible(profile_of("tiny"), data().names); }), "");
}

TEST(RequireConvertible, RefusesWhatTheMappingDoesNotKnow) {
  const Profile experts = with_override(profile_of("test"), data().catalogue.fields(),
                                        "num_moe_experts", std::int64_t{8});
  EXPECT_EQ(error_of([&] { require_convertible(experts, data().names); }),
            "test.json: num_moe_experts is 8, conversion to NeMo2 is known for null only");
}

TEST(NameTable, KnowsTheTwentyTwoParametersOfTheFamily) {
  EXPECT_EQ(data().names.parameters.size(), 22u);
  const Parameter* parameter = data().names.find("sequential.17.mlp.w3.weight");
  ASSERT_NE(parameter, nullptr);
  EXPECT_EQ(parameter->partition_dim, 1);
  EXPECT_EQ(parameter->hidden_dim, 0);
  EXPECT_EQ(data().names.find("sequential.2.input_layernorm.weight")->partition_dim, std::nullopt);
  EXPECT_EQ(data().names.find("sequential.2.mlp.w4.weight"), nullptr);
  EXPECT_EQ(data().names.find("sequential.mlp.w3.weight"), nullptr);
  EXPECT_EQ(data().names.find("mlp.w3.weight"), nullptr);
}

}  // namespace
}  // namespace ckptbridge::evo2
