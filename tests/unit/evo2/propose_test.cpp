#include "plugins/evo2/propose.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "plugins/evo2/expected.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Data {
  Catalogue catalogue{paths::profiles()};
  NameTable names{paths::profiles(), catalogue.fields()};
  EvidenceTable evidence{paths::profiles(), catalogue.fields()};
};

const Data& data() {
  static const Data data;
  return data;
}

// A checkpoint of that size but for some fields, without tensors that a checkpoint may lack.
std::vector<TensorShape> checkpoint(const std::string& parent, const std::string& fields,
                                    bool with_optional = true) {
  const Profile profile =
      data().catalogue.parse(Json::parse(R"({"profile_version": 1, "name": "x", "inherits": ")" +
                                         parent + "\"" + fields + "}"),
                             "x");
  std::vector<TensorShape> out;
  for (const Source& source : expected(profile, data().names).sources) {
    if (source.equals.empty() && (with_optional || !source.optional)) {
      out.push_back({source.name, source.shape});
    }
  }
  return out;
}

Proposal proposal(const std::vector<TensorShape>& tensors, const std::vector<Fact>& facts = {}) {
  return propose(data().catalogue, data().names, tensors, facts, data().evidence.unseen());
}

std::string choice_error(const std::vector<TensorShape>& tensors) {
  return error_of([&] {
    choose(data().catalogue, data().names, tensors, {{}, data().evidence.unseen()});
  });
}

constexpr char kSmall[] = R"(, "hybrid_override_pattern": "SDH*SD", "num_layers": 6,
    "hidden_size": 256, "ffn_hidden_size": 704, "num_attention_heads": 8, "num_groups_hyena": 256,
    "num_groups_hyena_medium": 32, "num_groups_hyena_short": 16, "seq_length": 1024)";

TEST(Propose, MakesAProfileOfNamesAndShapes) {
  const auto json = Json::parse(proposal(checkpoint("7b", kSmall)).json);
  EXPECT_EQ(json["hybrid_override_pattern"], "SDH*SD");
  EXPECT_EQ(json["num_layers"], 6);
  EXPECT_EQ(json["ffn_hidden_size"], 704);
  EXPECT_EQ(json["num_attention_heads"], 8);  // by the size of inv_freq
  EXPECT_EQ(json["num_groups_hyena_medium"], 32);
  EXPECT_EQ(json["seq_length"], 1024);
  EXPECT_THAT(json["comment"].get<std::string>(),
              HasSubstr("no tensor shows rotary_base, seq_len_interpolation_factor: the values "
                        "follow those of "));
}

TEST(Propose, SaysWhenNoTensorShowsTheHeads) {
  const auto json = Json::parse(proposal(checkpoint("7b", kSmall, false)).json);
  EXPECT_THAT(json["comment"].get<std::string>(), HasSubstr("no tensor shows num_attention_heads"));
  EXPECT_EQ(json["num_attention_heads"], 2);  // of 128 each, as those of 1b
}

TEST(Propose, TakesWhatTheCheckpointSaysOfItself) {
  const auto json = Json::parse(
      proposal(checkpoint("7b", kSmall, false),
               {{"num_attention_heads", std::int64_t{8}, "num_attention_heads", "args", true},
                {"rotary_base", std::int64_t{77}, "rotary_emb_base", "configs/a.yml", true}})
          .json);
  EXPECT_EQ(json["num_attention_heads"], 8);
  EXPECT_EQ(json["rotary_base"], 77);
  EXPECT_THAT(json["comment"].get<std::string>(),
              HasSubstr("no tensor shows seq_len_interpolation_factor:"));
}

TEST(Propose, FindsFlagsAndThePlaceOfTheNorm) {
  const auto json = Json::parse(
      proposal(checkpoint("1b_nv", R"(, "ffn_hidden_size": 5248, "norm_layer_offset": 2)")).json);
  EXPECT_EQ(json["inherits"], "1b_nv");
  EXPECT_EQ(json["norm_layer_offset"], 2);
  EXPECT_FALSE(json.contains("use_short_conv_bias"));
}

TEST(Propose, SaysWhyThereIsNoProfile) {
  const auto problem = [](const std::string& without, const TensorShape& with) {
    auto tensors = checkpoint("test", "");
    std::erase_if(tensors, [&](const TensorShape& t) { return t.name == without; });
    if (!with.name.empty()) tensors.push_back(with);
    const Proposal result = proposal(tensors);
    EXPECT_EQ(result.json, "");
    return result.problem;
  };
  EXPECT_EQ(problem("sequential.7.norm.weight", {}), "the final norm is missing");
  EXPECT_EQ(problem("sequential.3.mlp.w1.weight", {}),
            "sequential.3 has the tensors of no kind of layer");
  EXPECT_EQ(problem("sequential.2.mlp.w1.weight", {"sequential.2.mlp.w1.weight", {8, 4096}}),
            "ffn_hidden_size would be 8 by sequential.2.mlp.w1.weight and 11008 by "
            "sequential.2.mlp.w2.weight");
  EXPECT_THAT(problem("sequential.0.word_embeddings.weight",
                      {"sequential.0.word_embeddings.weight", {64, 4096}}),
              HasSubstr("has 64 rows"));
  EXPECT_EQ(proposal({{"sequential.99999999999999999999.norm.weight", {1}}}).json, "");
}

TEST(Choose, EndsWithAProfileThatItWouldTake) {
  const auto tensors = checkpoint("7b", kSmall);
  const std::string message = choice_error(tensors);
  const std::size_t begin = message.find("\nsave this profile and pass it with --profile FILE:\n{");
  ASSERT_NE(begin, std::string::npos) << message;
  const TemporaryFolder folder;
  const auto file = folder.write("mine.json", message.substr(message.find("\n{")));
  EXPECT_TRUE(compare(data().catalogue.read(file), data().names, tensors).exact());
}

TEST(Choose, TellsFewDifferencesOfEachSize) {
  const std::string message = choice_error(checkpoint("7b", kSmall));
  const std::string first = message.substr(0, message.find('\n', message.find("\n  ") + 1));
  EXPECT_EQ(std::count(first.begin(), first.end(), ';'), 4) << first;  // one in the first words
  EXPECT_THAT(first, HasSubstr("; and "));
}

TEST(Choose, RefusesALongContextOfAnotherLength) {
  const std::string message = choice_error(checkpoint("7b_arc_1m", R"(, "seq_length": 131072)"));
  EXPECT_THAT(
      message,
      AllOf(HasSubstr("they can be converted as 7b_arc_longcontext, but differ in columns of "
                      "filters that NeMo does not use"),
            HasSubstr("mixer.mixer.filter.h has 131072 columns, 7b_arc_longcontext has 1048576"),
            HasSubstr("choose one with --model-size, or save this profile"),
            HasSubstr("\"inherits\": \"7b_arc_longcontext\""), HasSubstr("\"seq_length\": 131072"),
            Not(HasSubstr("w1.weight"))));
}

TEST(Choose, LetsEvidenceDecideBetweenSizesThatLookAlike) {
  const TemporaryFolder folder;
  std::filesystem::copy(paths::profiles(), folder.path(), std::filesystem::copy_options::recursive);
  folder.write("8b.json", R"({"profile_version": 1, "name": "8b", "inherits": "7b",
                              "rotary_base": 1000000})");
  const Catalogue catalogue(folder.path());
  const Fact fact{"rotary_base", std::int64_t{1000000}, "rotary_emb_base", "args", true};
  EXPECT_EQ(choose(catalogue, data().names, checkpoint("7b", ""), {{fact}, {}}).name, "8b");
}

}  // namespace
}  // namespace ckptbridge::evo2
