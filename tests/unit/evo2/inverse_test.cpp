#include "plugins/evo2/inverse.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::ElementsAre;

struct Data {
  Catalogue catalogue{paths::profiles()};
  NameTable names{paths::profiles(), catalogue.fields()};
};

const Data& data() {
  static const Data data;
  return data;
}

Expected tiny() { return expected(data().catalogue.read(golden("tiny.json")), data().names); }

const Part& part_of(const Inverse& inverse, const std::string& name) {
  const auto found = std::find_if(inverse.parts.begin(), inverse.parts.end(),
                                  [&](const Part& part) { return part.name == name; });
  EXPECT_NE(found, inverse.parts.end()) << name;
  return *found;
}

TEST(Inverse, PartsOfEveryTensorLieEndToEnd) {
  for (const Profile& profile : data().catalogue.profiles()) {
    const Expected all = expected(profile, data().names);
    const Inverse back = inverse(all);
    std::map<std::string, std::vector<const Part*>> by_target;
    for (const Part& part : back.parts) by_target[part.from].push_back(&part);
    std::size_t tensors = 0;
    for (const Target& target : all.targets) {
      if (target.is_object()) continue;
      ++tensors;
      const auto& parts = by_target[target.name];
      ASSERT_FALSE(parts.empty()) << profile.name << ": " << target.name;
      std::uint64_t at = 0;
      for (const Part* part : parts) {
        EXPECT_EQ(part->begin, at) << part->name;
        EXPECT_EQ(part->is_whole, parts.size() == 1) << part->name;
        at = part->end;
        Shape shape = target.shape;
        shape[part->dim] = part->end - part->begin;
        EXPECT_EQ(part->shape, shape) << profile.name << ": " << part->name;
      }
      EXPECT_EQ(at, target.shape[parts.front()->dim]) << target.name;
    }
    EXPECT_EQ(by_target.size(), tensors) << profile.name;
    EXPECT_EQ(back.parts.size() + back.missing.size() + 1, all.sources.size())
        << profile.name << ": but for the copy of the embedding";
  }
}

TEST(Inverse, TakesARenameBack) {
  const Part part = part_of(inverse(tiny()), "sequential.2.input_layernorm.weight");
  EXPECT_EQ(part.from, "module.decoder.layers.0.mixer.dense_projection.layer_norm_weight");
  EXPECT_TRUE(part.is_whole);
  EXPECT_FALSE(part.cut.has_value());
}

TEST(Inverse, SplitsWhatWasJoined) {
  const Inverse back = inverse(tiny());
  const Part& second = part_of(back, "sequential.5.mlp.w2.weight");
  EXPECT_EQ(second.from, "module.decoder.layers.3.mlp.linear_fc1.weight");
  EXPECT_EQ(second.begin, 176u);
  EXPECT_EQ(second.end, 352u);
  EXPECT_THAT(second.shape, ElementsAre(176, 64));
  EXPECT_FALSE(second.is_whole);
  EXPECT_EQ(part_of(back, "sequential.5.mlp.w1.weight").end, 176u);
}

TEST(Inverse, KnowsWhatWasCutOff) {
  const Inverse back = inverse(tiny());
  const Part& decay = part_of(back, "sequential.3.mixer.mixer.filter.decay");
  ASSERT_TRUE(decay.cut.has_value());
  EXPECT_EQ(decay.uncut, 256u);
  EXPECT_THAT(decay.shape, ElementsAre(16, 128));
  EXPECT_FALSE(part_of(back, "sequential.0.word_embeddings.weight").cut.has_value())
      << "the vocabulary has no padding here";
}

TEST(Inverse, NamesWhatNeMoDoesNotHold) {
  std::vector<std::string> names;
  for (const Source& source : inverse(tiny()).missing) names.push_back(source.name);
  EXPECT_THAT(names, ElementsAre("sequential.4.mixer.mixer.filter.t",
                                 "sequential.5.mixer.rotary_emb.inv_freq",
                                 "sequential.8.mixer.mixer.filter.t"));
}

}  // namespace
}  // namespace ckptbridge::evo2
