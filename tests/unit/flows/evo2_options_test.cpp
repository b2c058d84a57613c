// The options of evo2-mapper, and what a checkpoint says of itself beside its tensors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Evo2Options : public testing::Test {
 protected:
  static boost::filesystem::path input() { return FlowRun::golden("nemo2/input_tiny.pt"); }

  std::unique_ptr<FlowRun::Done> convert(std::vector<OptionText> options,
                                         const boost::filesystem::path& in = input()) {
    options.push_back({"profile", FlowRun::golden("nemo2/tiny_profile.json").string()});
    return flow_.convert(in, "nemo2-torch_dist", options);
  }

  // The checkpoint in a folder of its own, with files beside it.
  boost::filesystem::path with_config(const std::string& name, const std::string& text) {
    flow_.folder().write("in/mp_rank_00_model_states.pt", file_text(input()));
    flow_.folder().write("in/configs/" + name, text);
    return flow_.folder() / "in";
  }

  FlowRun flow_;
};

TEST_F(Evo2Options, NoTeGivesLayerNormsNamesOfTheirOwn) {
  const auto run = convert({{"no-te", "true"}});
  EXPECT_THAT(run->source.arena->notes, Contains(HasSubstr("without Transformer Engine")));
  const DcpFolder found = read_dcp(flow_.out() / "weights");
  EXPECT_EQ(found.tensors.size(), 73u);
  const std::string layers = "module.decoder.layers.";
  for (const auto& [name, letter] : {std::pair("0.norm.weight", 'S'),
                                     {"1.norm.weight", 'D'},
                                     {"3.input_layernorm.weight", '*'},
                                     {"0.pre_mlp_layernorm.weight", 'S'},
                                     {"3.pre_mlp_layernorm.weight", '*'}}) {
    EXPECT_TRUE(found.tensors.contains(layers + name)) << name << " of " << letter;
  }
  for (const auto& [name, tensor] : found.tensors) {
    EXPECT_THAT(name, Not(HasSubstr("layer_norm_weight")));
  }
  for (const auto& [name, object] : found.objects) {
    // What is left is the None of Megatron's own linear layers.
    EXPECT_THAT(name, Not(HasSubstr("norm")));
    EXPECT_THAT(object, Not(HasSubstr("uint8"))) << name;
  }
  EXPECT_THAT(file_text(flow_.out() / "context/model.yaml"), HasSubstr("\n  use_te: false\n"));
  EXPECT_THAT(file_text(flow_.out() / "context/io.json"), HasSubstr("Attr(name='use_te')"));
}

TEST_F(Evo2Options, ParamsDtypeIsThatOfAllTensors) {
  const auto run = convert({{"params-dtype", "fp32"}});
  EXPECT_THAT(run->source.arena->notes, Contains("tensors are written as fp32"));
  for (const auto& [name, tensor] : read_dcp(flow_.out() / "weights").tensors) {
    EXPECT_EQ(tensor.dtype, "float32") << name;
  }
}

TEST_F(Evo2Options, KeepFp32FiltersLeavesTheFiltersAsTheyAre) {
  const auto run = convert({{"params-dtype", "fp16"}, {"keep-fp32-filters", "true"}});
  EXPECT_THAT(run->source.arena->notes, Contains("tensors are written as fp16, filters as fp32"));
  std::size_t filters = 0;
  for (const auto& [name, tensor] : read_dcp(flow_.out() / "weights").tensors) {
    const bool filter = name.find(".filter.") != std::string::npos;
    filters += filter ? 1 : 0;
    EXPECT_EQ(tensor.dtype, filter ? "float32" : "float16") << name;
  }
  EXPECT_EQ(filters, 10u);
}

TEST_F(Evo2Options, RoundedFiltersAreToldInTheSummary) {
  EXPECT_THAT(convert({})->source.arena->notes,
              Contains(HasSubstr("10 filter tensors lose float32 "
                                 "precision, as in NeMo's own import; "
                                 "--keep-fp32-filters keeps it")));
}

TEST_F(Evo2Options, ConfigurationBesideTheCheckpointMustAgree) {
  const auto in = with_config("tiny.yml", "rotary_emb_base: 10000\nnum_attention_heads: 4\n");
  const auto run = convert({}, in);
  EXPECT_THAT(run->source.arena->notes, Contains(HasSubstr("; configs/tiny.yml agrees with it)")));
}

TEST_F(Evo2Options, ConfigurationDoesNotStandInTheWayOfResharding) {
  const auto in = with_config("tiny.yml", "rotary_emb_base: 10000\n");
  const auto run = flow_.convert(in, "zero1", {{"mp-size", "2"}, {"keep-state", "true"}});
  EXPECT_TRUE(boost::filesystem::exists(flow_.out() / "mp_rank_01_model_states.pt"));
}

TEST_F(Evo2Options, AContradictionNamesBothValuesAndBothPlaces) {
  const auto in = with_config("tiny.yml", "rotary_emb_base: 500000\nnum_attention_heads: 4\n");
  const auto error = flow_.failure(
      in, "nemo2-torch_dist", {{"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}});
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("rotary_base is 10000 in "), HasSubstr("tiny_profile.json, but "),
                    HasSubstr("rotary_emb_base in configs/tiny.yml says 500000")));
}

}  // namespace
}  // namespace ckptbridge
