#include "plugins/evo2/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/torch_file/pickler.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace tf = torch_file;

const Catalogue& catalogue() {
  static const Catalogue catalogue(paths::profiles());
  return catalogue;
}

const EvidenceTable& table() {
  static const EvidenceTable table(paths::profiles(), catalogue().fields());
  return table;
}

std::vector<std::string> texts(const Settings& settings) {
  std::vector<std::string> out;
  for (const auto& [key, value] : settings) out.push_back(key + "=" + to_text(value));
  return out;
}

std::vector<std::string> texts(const std::vector<Fact>& facts) {
  std::vector<std::string> out;
  for (const Fact& fact : facts) out.push_back(fact.field + "=" + to_text(fact.value));
  return out;
}

std::vector<std::string> facts_of(const std::string& yaml) {
  return texts(table().facts(read_settings(yaml), "configs/a.yml"));
}

std::string disagreement(const std::string& size, const std::string& yaml) {
  return error_of([&] {
    require_agreement(catalogue().find(size), catalogue(),
                      table().facts(read_settings(yaml), "configs/a.yml"));
  });
}

TEST(Settings, AreTheScalarsAtTheMarginOfYaml) {
  EXPECT_THAT(
      texts(read_settings("# model\n"
                          "num_layers: 32   # as always\n"
                          "short-conv-L: 3\n"
                          "rotary_pct: 1.0\n"
                          "pos_emb: 'rotary # x'\r\n"
                          "use: true\n"
                          "nothing: null\n"
                          "optimizer:\n"
                          "  type: Adam\n"
                          "  params:\n"
                          "    hidden_size: 7\n"
                          "operator-config:\n"
                          "  - [['hyena_se'], 1]  # Layer 1\n"
                          "list: [1,\n"
                          "hidden_size: 9]\n"
                          "name: it's plain\n"
                          "num_layers: 50")),
      ElementsAre("num_layers=50", "short_conv_L=3", "rotary_pct=1.0", "pos_emb=\"rotary # x\"",
                  "use=true", "nothing=null", "name=\"it's plain\""));
}

TEST(Settings, AreReadInTheSpellingOfJson) {
  EXPECT_THAT(texts(read_settings("# comment\n{\n  \"num-layers\": 12,\n"
                                  "  \"zero\": {\n    \"num-layers\": 1\n  },\n"
                                  "  \"seq-length\": 2048, # cut\n  \"a\": \"x, y\"\n}\n")),
              ElementsAre("num_layers=12", "seq_length=2048", "a=\"x, y\""));
  EXPECT_THAT(texts(read_settings(R"({"a": 1, "b": {"c": 2}, "d": [3, 4], "e": true})")),
              ElementsAre("a=1", "e=true"));
}

TEST(Settings, OfAnythingElseAreNone) {
  for (const char* text : {"", "{", "}", "a", ":", "'", "\"a", "[[[[", "{\"a\":}", "\0", "#", "{#",
                           "a:\n\n", "\"a: 1"}) {
    EXPECT_THAT(read_settings(text), IsEmpty()) << text;
  }
}

TEST(Facts, HaveTheNamesOfTheProfilesFields) {
  EXPECT_THAT(facts_of("rotary_emb_base: 1.0e+11\nhidden_size: 4096\nseq_length: long\nlr: 1\n"),
              ElementsAre("hidden_size=4096", "rotary_base=100000000000"));
}

TEST(Facts, CountTheInterpolationOnlyWhereItIsUsed) {
  const std::string factor = "rotary_emb_scaling_factor: 128\n";
  const std::string on = "seq_len_interpolation_factor=128";
  const std::string off = "seq_len_interpolation_factor=null";
  EXPECT_THAT(facts_of(factor), ElementsAre(on));
  EXPECT_THAT(facts_of(factor + "pos_emb: 'rotary_linear_scaled'\n"), ElementsAre(on));
  EXPECT_THAT(facts_of(factor + "pos_emb: rotary\n"), ElementsAre(off));
  EXPECT_THAT(facts_of(factor + "use_interpolated_rotary_pos_emb: false\n"), ElementsAre(off));
  EXPECT_THAT(facts_of("rotary_emb_scaling_factor: 1.0\n"), ElementsAre(off));
}

TEST(Facts, AreReadFromADictAndFromANamespace) {
  for (const bool is_namespace : {false, true}) {
    tf::Values values;
    const tf::ValueId dict = values.dict();
    values.set_item(dict, values.string("num_attention_heads"), values.integer(64));
    values.set_item(dict, values.string("rotary_emb_base"), values.real(1e6));
    values.set_item(dict, values.string("hidden_size"), values.list());
    tf::ValueId root = dict;
    if (is_namespace) {
      root = values.new_object(values.global("argparse", "Namespace"), tf::Values::empty_tuple());
      values.set_state(root, dict);
    }
    const Settings settings = table().read_args(tf::pickle(values, root), "args");
    EXPECT_THAT(texts(table().facts(settings, "args")),
                ElementsAre("num_attention_heads=64", "rotary_base=1000000"));
  }
  tf::Values values;
  EXPECT_THAT(table().read_args(tf::pickle(values, values.integer(1)), "args"), IsEmpty());
}

TEST(Agreement, IsFoundAcrossTypesOfNumbers) {
  EXPECT_EQ(disagreement("7b_arc_longcontext",
                         "num_layers: 32\nrotary_pct: 1\nrotary_emb_base: 10000\n"
                         "rotary_emb_scaling_factor: 128.0\npos_emb: rotary_linear_scaled\n"),
            "");
}

TEST(Agreement, NamesBothValuesAndBothPlaces) {
  const std::string message = disagreement("7b", "num_attention_heads: 64\nrotary_emb_base: 100\n");
  EXPECT_THAT(message, HasSubstr("the checkpoint contradicts size 7b: num_attention_heads is 32 in "
                                 "7b.json, but num_attention_heads in configs/a.yml says 64; "
                                 "rotary_base is 10000 in 7b.json, but rotary_emb_base in "
                                 "configs/a.yml says 100\n"));
}

TEST(Agreement, OffersAProfileThatAgrees) {
  const std::string message = disagreement("7b_arc_longcontext", "rotary_emb_base: 100000000000\n");
  const std::size_t begin = message.find("\n{");
  ASSERT_NE(begin, std::string::npos) << message;
  const TemporaryFolder folder;
  const Profile profile = catalogue().read(folder.write("mine.json", message.substr(begin)));
  EXPECT_EQ(profile.integer("rotary_base"), 100000000000);
  EXPECT_EQ(profile.nemo_class, "Hyena7bARCLongContextConfig");
  // Tensors show the number of layers: a profile cannot set it right alone.
  EXPECT_THAT(disagreement("7b", "num_layers: 31\n"),
              AllOf(HasSubstr("says 31"), Not(HasSubstr("--profile"))));
}

TEST(Settings, OfOneTableAreThoseOfItsOwnMargin) {
  EXPECT_THAT(texts(read_settings_below("config",
                                        "_target_: a.B\nconfig:\n  one: 1\n  table:\n    two: 2\n"
                                        "  list:\n  - 3\n  four: 4.5\n\nother:\n  five: 5\n")),
              ElementsAre("one=1", "four=4.5"));
  EXPECT_THAT(read_settings_below("config", "config: 1\n"), IsEmpty());
}

TEST(Evidence, OfNeMosConfigurationHasTheNamesOfFields) {
  const auto facts = table().nemo_facts(
      read_settings_below("config", "config:\n  rotary_base: 500000\n  bf16: true\n"),
      "context/model.yaml");
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].field, "rotary_base");
  EXPECT_EQ(facts[0].key, "rotary_base");
  EXPECT_TRUE(facts[0].unseen);
}

}  // namespace
}  // namespace ckptbridge::evo2
