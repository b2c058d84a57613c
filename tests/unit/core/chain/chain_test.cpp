#include "core/chain/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;
using testing::Not;

Manifest plugin(const std::string& id, Properties accepts, Properties gives,
                const std::vector<std::string>& options = {}) {
  Manifest manifest;
  manifest.id = id;
  manifest.rewrites = {{std::move(accepts), std::move(gives)}};
  for (const auto& name : options) manifest.options.emplace_back().name = name;
  return manifest;
}

// The plugins of the main job, and a chain that a test completes with them.
struct World {
  Manifest reader = plugin("zero1-reader", {}, {}, {"tag"});
  Manifest resharder = plugin("mp-resharder", {{"names", "savanna"}},
                              {{"mp_world_size", "option:mp-size"}}, {"mp-size", "on-mismatch"});
  Manifest mapper = plugin("evo2-mapper", {{"names", "savanna"}, {"mp_world_size", "1"}},
                           {{"names", "megatron"}}, {"model-size"});
  Manifest nemo2 = plugin("nemo2-torch_dist-writer", {}, {}, {"max-files"});
  Manifest zero1 = plugin("zero1-writer", {}, {});
  std::vector<const Manifest*> transforms = {&resharder, &mapper};

  World() { nemo2.needs = {{"names", "megatron"}, {"mp_world_size", "1"}}; }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::string line(const Properties& properties, const Manifest& writer,
                   std::vector<OptionText> options = {}) const {
    return run_line(complete_chain(
        {"IN", "OUT", properties, &reader, &writer, transforms, std::move(options)}));
  }
};

Properties savanna(const std::string& mp) {
  return {{"names", "savanna"}, {"mp_world_size", mp}, {"format", "zero1"}};
}

TEST(CompleteChain, TakesNoTransformWhereNothingIsNeeded) {
  const World world;
  EXPECT_EQ(world.line({{"names", "megatron"}, {"mp_world_size", "1"}}, world.nemo2),
            "ckptbridge run zero1-reader path=IN ! nemo2-torch_dist-writer path=OUT");
}

TEST(CompleteChain, TakesTheMapperWhereOnlyNamesDiffer) {
  const World world;
  EXPECT_EQ(world.line(savanna("1"), world.nemo2),
            "ckptbridge run zero1-reader path=IN ! evo2-mapper ! nemo2-torch_dist-writer path=OUT");
}

TEST(CompleteChain, PutsTheResharderWhereTheMapperAcceptsItsResult) {
  const World world;
  EXPECT_EQ(world.line(savanna("8"), world.nemo2),
            "ckptbridge run zero1-reader path=IN ! mp-resharder mp-size=1 ! evo2-mapper ! "
            "nemo2-torch_dist-writer path=OUT");
}

TEST(CompleteChain, MeetsALaterNeedFirstWhereOnlyItsTransformFits) {
  // "a" comes before "z" in order, but its transform accepts only what the other gives.
  World world;
  world.resharder = plugin("second", {{"z", "1"}}, {{"a", "1"}});
  world.mapper = plugin("first", {}, {{"z", "1"}});
  world.nemo2.needs = {{"a", "1"}, {"z", "1"}};
  EXPECT_THAT(world.line({}, world.nemo2), HasSubstr("! first ! second !"));
}

TEST(CompleteChain, GivesEachOptionToItsPlugin) {
  const World world;
  EXPECT_EQ(world.line(savanna("8"), world.nemo2,
                       {{"tag", "step 1"}, {"model_size", "7b"}, {"on-mismatch", "first"}}),
            "ckptbridge run zero1-reader path=IN 'tag=step 1' ! mp-resharder on-mismatch=first "
            "mp-size=1 ! evo2-mapper model-size=7b ! nemo2-torch_dist-writer path=OUT");
}

TEST(CompleteChain, TakesAnOptionThatATransformGivesByAsANeed) {
  const World world;
  EXPECT_EQ(world.line(savanna("8"), world.zero1, {{"mp_size", "4"}}),
            "ckptbridge run zero1-reader path=IN ! mp-resharder mp-size=4 ! zero1-writer path=OUT");
  EXPECT_EQ(world.line(savanna("8"), world.zero1, {{"mp-resharder.mp-size", "4"}}),
            "ckptbridge run zero1-reader path=IN ! mp-resharder mp-size=4 ! zero1-writer path=OUT");
  EXPECT_EQ(world.line(savanna("4"), world.zero1, {{"mp-size", "4"}}),
            "ckptbridge run zero1-reader path=IN ! zero1-writer path=OUT");
  EXPECT_EQ(world.line(savanna("8"), world.nemo2, {{"mp-size", "1"}}),
            world.line(savanna("8"), world.nemo2));
}

TEST(CompleteChain, RefusesAnOptionAgainstANeedOfTheWriter) {
  const World world;
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT,
                     [&] {
                       world.line(savanna("8"), world.nemo2, {{"mp-size", "2"}});
                     }),
            "option mp-size: 2 was given, but nemo2-torch_dist-writer needs mp_world_size=1");
}

TEST(CompleteChain, ReadsANeedFromTheWritersOwnOption) {
  World world;
  world.zero1 = plugin("zero1-writer", {}, {}, {"ranks"});
  world.zero1.needs = {{"mp_world_size", "option:ranks"}};
  EXPECT_THAT(world.line(savanna("8"), world.zero1, {{"ranks", "2"}}),
              HasSubstr("! mp-resharder mp-size=2 ! zero1-writer ranks=2"));
  EXPECT_EQ(world.line(savanna("8"), world.zero1),
            "ckptbridge run zero1-reader path=IN ! zero1-writer path=OUT");
  world.zero1.options[0].default_json = "1";
  EXPECT_THAT(world.line(savanna("8"), world.zero1), HasSubstr("! mp-resharder mp-size=1 !"));
}

TEST(CompleteChain, SaysWhatIsNeededAndWhatIsThereWhereNothingFits) {
  const World world;
  EXPECT_EQ(error_of(CKB_UNSUPPORTED,
                     [&] {
                       world.line({{"names", "vortex"}, {"mp_world_size", "1"}}, world.nemo2);
                     }),
            "nemo2-torch_dist-writer needs names=megatron, the checkpoint has names=vortex, and no "
            "transform leads there: evo2-mapper gives it, but from names=savanna (here: "
            "names=vortex) only");
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { world.line({}, world.nemo2); }),
              HasSubstr("needs mp_world_size=1, the checkpoint has no known mp_world_size"));
}

TEST(CompleteChain, PrintsTheLinesToTypeWhereSeveralFit) {
  World world;
  const Manifest other =
      plugin("acme.mapper", world.mapper.rewrites[0].accepts, world.mapper.rewrites[0].gives);
  world.transforms.push_back(&other);
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT, [&] { world.line(savanna("8"), world.nemo2); }),
            "nemo2-torch_dist-writer needs names=megatron, which 2 plugins give; choose by typing "
            "one of\n"
            "  ckptbridge run zero1-reader path=IN ! mp-resharder mp-size=1 ! evo2-mapper ! "
            "nemo2-torch_dist-writer path=OUT\n"
            "  ckptbridge run zero1-reader path=IN ! mp-resharder mp-size=1 ! acme.mapper ! "
            "nemo2-torch_dist-writer path=OUT");
}

TEST(CompleteChain, FinishesTheLinesOfAnEarlyChoice) {
  World world;
  const Manifest other = plugin("acme.join", {}, world.resharder.rewrites[0].gives, {"mp-size"});
  world.transforms.push_back(&other);
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { world.line(savanna("8"), world.nemo2); }),
              HasSubstr("! acme.join mp-size=1 ! evo2-mapper ! nemo2-torch_dist-writer path=OUT"));
}

TEST(CompleteChain, TakesNoTransformTwice) {
  World world;
  world.mapper.rewrites[0].gives["mp_world_size"] = "2";  // undoes what the resharder did
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { world.line(savanna("8"), world.nemo2); }),
              HasSubstr("mp-resharder is in the chain already"));
}

TEST(CompleteChain, TakesTheWayOfATransformThatFits) {
  World world;
  world.mapper.rewrites.push_back(
      {{{"names", "megatron"}, {"mp_world_size", "1"}}, {{"names", "savanna"}}});
  world.zero1.needs = {{"names", "savanna"}};
  const Properties megatron = {{"names", "megatron"}, {"mp_world_size", "1"}};
  EXPECT_EQ(world.line(megatron, world.zero1, {{"mp-size", "8"}}),
            "ckptbridge run zero1-reader path=IN ! evo2-mapper ! mp-resharder mp-size=8 ! "
            "zero1-writer path=OUT");
  EXPECT_EQ(world.line(megatron, world.zero1),
            "ckptbridge run zero1-reader path=IN ! evo2-mapper ! zero1-writer path=OUT");
  EXPECT_THAT(world.line(savanna("1"), world.nemo2), HasSubstr("! evo2-mapper ! nemo2-"));
  EXPECT_THAT(world.line(savanna("1"), world.zero1), Not(HasSubstr("evo2-mapper")));
}

TEST(CompleteChain, StopsAtFourTransforms) {
  World world;
  std::vector<Manifest> steps;
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    steps.push_back(plugin(std::string("give-") + key, {}, {{key, "1"}}));
    world.nemo2.needs[key] = "1";
  }
  for (const auto& step : steps) world.transforms.push_back(&step);
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { world.line(savanna("1"), world.nemo2); }),
              HasSubstr("more than 4 transforms"));
}

TEST(CompleteChain, RefusesAnOptionThatNoPluginOfTheChainTakes) {
  const World world;
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT,
                       [&] {
                         world.line(savanna("1"), world.zero1, {{"model-size", "7b"}});
                       }),
              HasSubstr("no plugin of the chain (zero1-reader, zero1-writer) has an option"));
}

}  // namespace
}  // namespace ckptbridge
