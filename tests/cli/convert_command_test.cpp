#include <map>

#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kInput = golden("nemo2/input_tiny.pt");
const std::string kProfile = golden("nemo2/tiny_profile.json");

// What every file below a folder holds.
std::map<std::string, std::string> contents(const boost::filesystem::path& folder) {
  std::map<std::string, std::string> result;
  for (const auto& name : TempFolder::tree_of(folder)) {
    if (!name.ends_with("/")) result[name] = TempFolder::text_of(folder / name);
  }
  return result;
}

class Convert : public testing::Test {
 protected:
  Outcome convert(const std::string& input, const std::vector<std::string>& more,
                  const std::string& output = "out") const {
    std::vector<std::string> arguments = {"convert",          input,      path(output), "--to",
                                          "nemo2-torch_dist", "--no-sync"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }

  // A run that must end so, say so, and leave nothing.
  void expect_refused(int code, const std::string& message, const std::string& input,
                      const std::vector<std::string>& more = {}) const {
    const auto before = folder_.tree();
    const auto outcome = convert(input, more);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(folder_.tree(), before);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const TempFolder folder_;
};

TEST_F(Convert, ToNemoWithoutTransformerEngineHasTheTensorsOfTheRealImporter) {
  const auto outcome = command({"convert_to_nemo", "--model-path", kInput, "--output-dir",
                                path("out"), "--profile", kProfile, "--no-te"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto verified =
      command({"verify", path("out"), "--manifest", golden("nemo2/no_te_digests.json")});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("equal: 73 tensors"));
}

// The resharder compares the replicas of what NeMo makes anew: no byte of it is left out unseen.
TEST_F(Convert, TellsOfValuesLeftOutWhoseBytesWereCompared) {
  const auto ranks =
      command({"convert", kInput, path("mp2"), "--to", "zero1", "--mp-size", "2", "--no-sync"});
  EXPECT_EQ(ranks.code, 0) << ranks.err;
  const auto outcome = convert(path("mp2"), {"--profile", kProfile});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("left out: frequencies; made again from rotary_base: 1 value\n"));
}

TEST_F(Convert, ToNemoWritesZarrOnWish) {
  const auto outcome = command({"convert_to_nemo", "--model-path", kInput, "--output-dir",
                                path("out"), "--profile", kProfile, "--ckpt-format", "zarr"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("read by megatron-core up to 0.15"));
  const std::string weights = "weights/module.decoder.final_norm.weight/0";
  EXPECT_EQ(TempFolder::text_of(folder_ / "out" / weights),
            TempFolder::text_of(golden("nemo2/out_zarr/" + weights)));
}

TEST_F(Convert, GivesTheSameBytesByEachWayToAskForIt) {
  EXPECT_EQ(convert(kInput, {"--profile", kProfile}, "a").code, 0);
  EXPECT_EQ(command({"convert-to-nemo", "--model-path", kInput, "--output_dir", path("b"),
                     "--profile", kProfile, "--ckpt_format", "torch_dist"})
                .code,
            0);
  EXPECT_EQ(command({"run", "zero1-reader", "path=" + kInput, "!", "evo2-mapper",
                     "profile=" + kProfile, "!", "nemo2-torch_dist-writer", "path=" + path("c")})
                .code,
            0);
  const Json chain = {{"steps",
                       {{{"plugin", "zero1-reader"}, {"path", kInput}},
                        {{"plugin", "evo2-mapper"}, {"options", {{"profile", kProfile}}}},
                        {{"plugin", "nemo2-torch_dist-writer"}, {"path", path("d")}}}}};
  folder_.write("chain.json", chain.dump());
  EXPECT_EQ(command({"run", path("chain.json")}).code, 0);
  const auto expected = contents(folder_ / "a");
  EXPECT_TRUE(expected.contains("weights/metadata.json"));
  for (const char* other : {"b", "c", "d"}) EXPECT_EQ(contents(folder_ / other), expected);
}

TEST_F(Convert, GivesTheSameBytesForAnyThreadsAndMemory) {
  EXPECT_EQ(convert(kInput, {"--profile", kProfile, "--threads", "1"}, "a").code, 0);
  EXPECT_EQ(convert(kInput, {"--profile", kProfile, "--threads", "7"}, "b").code, 0);
  EXPECT_EQ(convert(kInput, {"--profile", kProfile, "--memory", "8MiB"}, "c").code, 0);
  EXPECT_EQ(contents(folder_ / "a"), contents(folder_ / "b"));
  EXPECT_EQ(contents(folder_ / "a"), contents(folder_ / "c"));
}

TEST_F(Convert, SaysWhichSizeFirstAndWhatWasLeftOut) {
  const auto outcome = convert(kInput, {"--profile", kProfile});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.find("model size tiny"), 0u);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("wrote " + path("out") + ": 7 files"),
                                 HasSubstr("left out: filter columns that NeMo does not use"),
                                 HasSubstr("rounded: 14 tensors from float32 to bfloat16")));
}

TEST_F(Convert, ReportsInJson) {
  const auto report =
      Json::parse(convert(kInput, {"--profile", kProfile, "--json", "--progress", "none"}).out);
  EXPECT_EQ(report["done"], true);
  EXPECT_EQ(report["chain"][1]["plugin"], "evo2-mapper");
  EXPECT_EQ(report["chain"][1]["options"]["profile"], kProfile);
  EXPECT_EQ(report["written"]["files"].size(), 7u);
}

TEST_F(Convert, PlansInJson) {
  const auto plan = Json::parse(command({"plan", kInput, path("out"), "--to", "nemo2-torch_dist",
                                         "--from", "zero1", "--profile", kProfile, "--json"})
                                    .out);
  const auto done = Json::parse(convert(kInput, {"--profile", kProfile, "--json"}).out);
  EXPECT_EQ(plan["done"], false);
  for (const char* same : {"chain", "command", "read", "written", "rounded", "left_out", "notes"}) {
    EXPECT_EQ(plan[same], done[same]) << same;
  }
}

TEST_F(Convert, TellsProgressToPrograms) {
  const auto outcome = convert(kInput, {"--profile", kProfile, "--progress", "json"});
  EXPECT_THAT(outcome.err, HasSubstr("{\"stage\":\"convert\",\"done\":"));
}

TEST_F(Convert, PlannedWritesNothing) {
  const auto before = folder_.tree();
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"plan", kInput, path("out"), "--to", "nemo2-torch_dist", "--profile", kProfile},
           {"plan", "convert", kInput, path("out"), "--to", "nemo2-torch-dist", "--profile",
            kProfile},
           {"plan", "convert_to_nemo", "--model-path", kInput, "--output-dir", path("out"),
            "--profile", kProfile},
           {"plan", "zero1-reader path=" + kInput + " ! evo2-mapper profile=" + kProfile +
                        " ! nemo2-torch_dist-writer path=" + path("out")},
           {"convert", kInput, path("out"), "--to", "nemo2-torch_dist", "--profile", kProfile,
            "--dry-run"}}) {
    const auto outcome = command(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("chain   ckptbridge run zero1-reader path="),
                                   HasSubstr("weights/__0_0.distcp")));
  }
  EXPECT_EQ(folder_.tree(), before);
}

TEST_F(Convert, RefusesAnOutputThatIsThere) {
  folder_.write("out/precious", "");
  expect_refused(5, "it has precious", kInput, {"--profile", kProfile});
  expect_refused(5, "precious", kInput, {"--profile", kProfile, "--overwrite"});
}

TEST_F(Convert, ReplacesItsOwnOutputWhenAsked) {
  EXPECT_EQ(convert(kInput, {"--profile", kProfile}).code, 0);
  expect_refused(5, "--overwrite", kInput, {"--profile", kProfile});
  EXPECT_EQ(convert(kInput, {"--profile", kProfile, "--overwrite"}).code, 0);
}

TEST_F(Convert, RefusesAnInputThatIsNotThere) {
  expect_refused(3, "no such file or folder", path("nothing.pt"));
  boost::filesystem::create_directories(folder_ / "empty");
  expect_refused(3, "no reader knows this format", path("empty"));
}

TEST_F(Convert, RefusesATruncatedFile) {
  const auto whole = TempFolder::text_of(kInput);
  folder_.write("cut.pt", whole.substr(0, whole.size() / 2));
  expect_refused(3, "cut.pt", path("cut.pt"), {"--profile", kProfile});
}

TEST_F(Convert, RefusesAnotherModel) {
  expect_refused(3, "its tensors are conv1.weight, fc.bias", golden("cli/other_model.pt"));
}

TEST_F(Convert, RunsNothingThatAPickleNames) {
  expect_refused(3, "os_system.pt", golden("cli/os_system.pt"));
  EXPECT_FALSE(boost::filesystem::exists("pwned"));
}

TEST_F(Convert, RefusesASizeThatDoesNotFitOrThatThereIsNot) {
  expect_refused(3, "the checkpoint has 7 layers, 7b has 32", kInput, {"--model-size", "7b"});
  expect_refused(2, "did you mean \"7b\"?", kInput, {"--model_size", "7bb"});
}

TEST_F(Convert, RefusesAnOutputInsideTheInput) {
  folder_.write("in/mp_rank_00_model_states.pt", TempFolder::text_of(kInput));
  const auto outcome = convert(path("in"), {"--profile", kProfile}, "in/out");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("lies in the input"));
  EXPECT_FALSE(boost::filesystem::exists(folder_ / "in/out"));
}

TEST_F(Convert, RefusesWrongUsageWithAHint) {
  const auto error = [&](const std::vector<std::string>& more) {
    const auto outcome = convert(kInput, more);
    EXPECT_EQ(outcome.code, 2);
    return outcome.err;
  };
  EXPECT_THAT(error({"--modle-size", "7b"}), HasSubstr("did you mean \"--model-size\"?"));
  EXPECT_THAT(error({"--threads", "0"}), HasSubstr("--threads: \"0\" is not a number from 1"));
  EXPECT_THAT(error({"--memory", "12 parsecs"}), HasSubstr("--memory: \"12 parsecs\" is not"));
  EXPECT_THAT(error({"--progress", "loud"}), HasSubstr("--progress: \"loud\" is none of"));
  EXPECT_THAT(error({"--params-dtype", "bf61"}), HasSubstr("did you mean \"bf16\"?"));
  EXPECT_THAT(error({"--from", "zreo1"}), HasSubstr("did you mean \"zero1\"?"));
  EXPECT_THAT(command({"convert", kInput, "o", "--to", "nemo2-torch_dits"}).err,
              HasSubstr("did you mean \"nemo2-torch_dist\"?"));
}

TEST_F(Convert, RefusesAChainWhosePluginsDoNotFitTheirPlaces) {
  const auto outcome = command({"run", "evo2-mapper", "path=x", "!", "zero1-reader", "path=y"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("evo2-mapper is not a reader"));
  const auto option =
      command({"run", "zero1-reader path=x tga=y ! nemo2-torch_dist-writer path=o"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("did you mean \"tag\"?"));
}

TEST_F(Convert, RefusesAMemoryBoundThatAdmitsNoWork) {
  const auto outcome = convert(kInput, {"--profile", kProfile, "--memory", "1"});
  EXPECT_EQ(outcome.code, 7) << outcome.err;
}

TEST_F(Convert, TakesAnOptionByThePluginsName) {
  const auto outcome = convert(kInput, {"--profile", kProfile, "--evo2_mapper.params_dtype=fp32"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto wrong = convert(kInput, {"--zero1-reader.model-size", "7b"}, "x");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean"));
}

}  // namespace
}  // namespace ckptbridge
