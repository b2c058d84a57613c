#include "plugins/evo2/fit.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Data {
  Catalogue catalogue{paths::profiles()};
  NameTable names{paths::profiles(), catalogue.fields()};
};

const Data& data() {
  static const Data data;
  return data;
}

const Profile& size(const std::string& name) { return data().catalogue.find(name); }

// The tensors of a checkpoint of that size, without the optional copy of the embedding.
std::vector<TensorShape> checkpoint(const Profile& profile) {
  std::vector<TensorShape> out;
  for (const Source& source : expected(profile, data().names).sources) {
    if (source.equals.empty()) out.push_back({source.name, source.shape});
  }
  return out;
}

Shape& shape_of(std::vector<TensorShape>& tensors, const std::string& name) {
  return std::find_if(tensors.begin(), tensors.end(),
                      [&](const TensorShape& tensor) { return tensor.name == name; })
      ->shape;
}

void set_filter_columns(std::vector<TensorShape>& tensors, std::uint64_t columns) {
  for (TensorShape& tensor : tensors) {
    if (tensor.name.ends_with("filter.h") || tensor.name.ends_with("filter.decay")) {
      tensor.shape[1] = columns;
    }
  }
}

std::string error_of_fit(const std::string& name, const std::vector<TensorShape>& tensors) {
  return error_of([&] { require_fit(size(name), data().catalogue, data().names, tensors); });
}

std::string error_of_choice(const std::vector<TensorShape>& tensors) {
  return error_of([&] { choose(data().catalogue, data().names, tensors); });
}

TEST(Choose, FindsEverySizeByItsTensors) {
  for (const Profile& profile : data().catalogue.profiles()) {
    EXPECT_EQ(choose(data().catalogue, data().names, checkpoint(profile)).name, profile.name);
  }
}

TEST(Choose, IgnoresExtraStateAndPaddingOfTheVocabulary) {
  std::vector<TensorShape> tensors = checkpoint(size("7b"));
  tensors.push_back({"sequential.2.mlp.w1._extra_state", {0}});
  shape_of(tensors, "sequential.0.word_embeddings.weight")[0] = 640;
  EXPECT_EQ(choose(data().catalogue, data().names, tensors).name, "7b");
}

TEST(Choose, NeverGuessesByFilterColumns) {
  std::vector<TensorShape> tensors = checkpoint(size("7b"));
  set_filter_columns(tensors, 128);
  EXPECT_THAT(error_of_choice(tensors), HasSubstr("they can be converted as 7b, but differ in "));
}

TEST(Choose, ShowsTheNearestSizes) {
  std::vector<TensorShape> tensors = checkpoint(size("7b"));
  tensors.pop_back();
  EXPECT_THAT(error_of_choice(tensors), StartsWith("no size fits the checkpoint; the nearest:\n"
                                                   "  7b: sequential.35.norm.weight is missing\n"));
}

TEST(Choose, AsksWhenSizesDifferInNoTensor) {
  const TemporaryFolder folder;
  std::filesystem::copy(paths::profiles(), folder.path(), std::filesystem::copy_options::recursive);
  folder.write("8b.json", R"({"profile_version": 1, "name": "8b", "inherits": "7b",
                              "rotary_base": 1000000})");
  const Catalogue catalogue(folder.path());
  EXPECT_EQ(error_of([&] { choose(catalogue, data().names, checkpoint(size("7b"))); }),
            "several sizes fit the checkpoint: 7b, 8b; they differ in rotary_base (10000, "
            "1000000); choose one with --model-size");
}

TEST(RequireFit, NamesTheDimensionAndTheSizeThatFits) {
  const std::string message = error_of_fit("40b", checkpoint(size("40b_arc_longcontext")));
  EXPECT_THAT(message, HasSubstr("mlp.w1.weight has 22528 rows, 40b has 21888 (50 layers)"));
  EXPECT_THAT(message, HasSubstr("mlp.w3.weight has 22528 columns, 40b has 21888 (50 layers)"));
  EXPECT_THAT(message, HasSubstr("; this fits 40b_arc_longcontext"));
  EXPECT_THAT(message, Not(HasSubstr("filter")));
}

TEST(RequireFit, CountsTheLayers) {
  EXPECT_THAT(error_of_fit("7b", checkpoint(size("40b"))),
              HasSubstr("size 7b: the checkpoint has 50 layers, 7b has 32; "));
}

TEST(RequireFit, TakesFiltersThatAreLongEnough) {
  std::vector<TensorShape> tensors = checkpoint(size("test"));
  set_filter_columns(tensors, 128);
  EXPECT_EQ(error_of_fit("test", tensors), "");
  set_filter_columns(tensors, 127);
  EXPECT_THAT(error_of_fit("test", tensors), HasSubstr("filter.h has 127 columns"));
}

TEST(RequireFit, DoesNotTakeAVocabularyThatIsTooSmall) {
  std::vector<TensorShape> tensors = checkpoint(size("test"));
  shape_of(tensors, "sequential.0.word_embeddings.weight")[0] = 504;
  EXPECT_THAT(error_of_fit("test", tensors),
              HasSubstr("sequential.0.word_embeddings.weight has 504 rows, test has 512"));
}

TEST(RequireFit, DoesNotNeedTensorsThatAreDropped) {
  std::vector<TensorShape> tensors = checkpoint(size("test"));
  std::erase_if(tensors, [](const TensorShape& tensor) {
    return tensor.name.ends_with("filter.t") || tensor.name.ends_with("inv_freq");
  });
  EXPECT_EQ(error_of_fit("test", tensors), "");
}

TEST(RequireFit, RefusesATensorThatHasNoPlace) {
  std::vector<TensorShape> tensors = checkpoint(size("test"));
  tensors.push_back({"sequential.2.post_attention_layernorm.weight", {4096}});
  EXPECT_THAT(error_of_fit("test", tensors),
              HasSubstr("sequential.2.post_attention_layernorm.weight is not in test"));
}

TEST(RequireFit, WantsBiasesForTheVariantOfNvidia) {
  EXPECT_THAT(error_of_fit("1b_nv", checkpoint(size("1b"))),
              HasSubstr("mixer.mixer.conv_bias is missing (7 layers)"));
}

TEST(RequireFit, ComparesTheNumberOfDimensions) {
  std::vector<TensorShape> tensors = checkpoint(size("test"));
  shape_of(tensors, "sequential.7.norm.weight") = {4096, 1};
  EXPECT_THAT(error_of_fit("test", tensors),
              HasSubstr("sequential.7.norm.weight has shape [4096, 1], test has [4096]"));
}

TEST(RequireFit, ExplainsCheckpointsOfOtherKinds) {
  EXPECT_THAT(error_of_choice({{"blocks.0.mlp.l1.weight", {8, 8}}}),
              HasSubstr("Vortex's inference format"));
  EXPECT_THAT(error_of_choice({{"module.decoder.final_norm.weight", {8}}}),
              HasSubstr("Megatron's names already"));
  EXPECT_THAT(error_of_choice({{"lm_head.weight", {8}}}),
              HasSubstr("the first tensor is lm_head.weight"));
  EXPECT_EQ(error_of_choice({}), "the checkpoint has no tensors");
}

// The same in Megatron's names.
std::vector<TensorShape> nemo_checkpoint(const Profile& profile,
                                         Family family = Family::kMegatron) {
  std::vector<TensorShape> out;
  for (const Source& tensor : tensors_of(profile, data().names, family)) {
    out.push_back({tensor.name, tensor.shape});
  }
  return out;
}

TEST(Choose, FindsEverySizeByItsTensorsInNeMo) {
  for (const Profile& profile : data().catalogue.profiles()) {
    const auto tensors = nemo_checkpoint(profile);
    EXPECT_EQ(megatron_family(data().names, tensors), Family::kMegatron);
    EXPECT_EQ(choose(data().catalogue, data().names, tensors, {}, Family::kMegatron).name,
              profile.name);
  }
}

TEST(Choose, KnowsLayerNormsWithoutTransformerEngine) {
  const auto tensors = nemo_checkpoint(size("7b"), Family::kMegatronWithoutTe);
  EXPECT_EQ(megatron_family(data().names, tensors), Family::kMegatronWithoutTe);
  EXPECT_EQ(choose(data().catalogue, data().names, tensors, {}, Family::kMegatronWithoutTe).name,
            "7b");
}

TEST(Choose, DoesNotGuessBetweenSizesThatAreOneInNeMo) {
  const TemporaryFolder folder;
  const std::filesystem::path profiles = folder.path() / "profiles";
  std::filesystem::copy(paths::profiles(), profiles, std::filesystem::copy_options::recursive);
  folder.write("profiles/7b_262k.json", R"({"profile_version": 1, "name": "7b_262k",
      "inherits": "7b", "seq_length": 262144, "seq_len_interpolation_factor": 32})");
  const Catalogue catalogue(profiles);
  const auto tensors = nemo_checkpoint(size("7b"));
  EXPECT_THAT(
      error_of([&] { choose(catalogue, data().names, tensors, {}, Family::kMegatron); }),
      StartsWith("several sizes fit the checkpoint: 7b, 7b_262k; they differ in "
                 "seq_len_interpolation_factor (null, 32), seq_length (8192, 262144); choose one "
                 "with --model-size"));
  Evidence evidence;
  evidence.facts = {{"seq_length", std::int64_t{262144}, "seq_length", "context/model.yaml"}};
  EXPECT_EQ(choose(catalogue, data().names, tensors, evidence, Family::kMegatron).name, "7b_262k");
}

TEST(Fit, TellsDifferencesOfNeMosTensorsByLayer) {
  auto tensors = nemo_checkpoint(size("7b"));
  for (TensorShape& tensor : tensors) {
    if (tensor.name.ends_with("mlp.linear_fc1.weight")) tensor.shape[0] = 100;
  }
  EXPECT_THAT(error_of([&] {
                require_fit(size("7b"), data().catalogue, data().names, tensors, Family::kMegatron);
              }),
              StartsWith("the checkpoint is not of size 7b: mlp.linear_fc1.weight has 100 rows, 7b "
                         "has 22016 (32 layers)"));
}

TEST(Fit, SaysWhatMegatronsNamesAre) {
  EXPECT_THAT(
      error_of([&] {
        require_fit(size("7b"), data().catalogue, data().names, {{"model.a", {1}}},
                    Family::kMegatron);
      }),
      HasSubstr("none of Evo2 in Megatron's names: expected module.decoder.layers.{layer}"));
}

}  // namespace
}  // namespace ckptbridge::evo2
