#include <nlohmann/json.hpp>

#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TEST(Inspect, SaysWhatACheckpointIsAndWhatToTypeNext) {
  const auto input = golden("nemo2/input_tiny.pt");
  const auto profile = golden("nemo2/tiny_profile.json");
  const auto outcome = command({"inspect", input, "--profile", profile});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("format     zero1"), HasSubstr("complete   yes"),
                    HasSubstr("size       tiny"), HasSubstr("ranks      1"),
                    HasSubstr("bfloat16: 66 tensors, 389,088 elements"),
                    HasSubstr("next       ckptbridge convert " + shell_quoted(input) +
                              " OUT --to nemo2-torch_dist --profile " + shell_quoted(profile))));
}

TEST(Inspect, SaysTheSameInJson) {
  const auto outcome = command({"inspect", golden("nemo2/input_tiny.pt"), "--json", "--profile",
                                golden("nemo2/tiny_profile.json")});
  const auto found = json::parse(outcome.out);
  EXPECT_EQ(found["format"], "zero1");
  EXPECT_EQ(found["model_size"], "tiny");
  EXPECT_EQ(found["complete"], true);
  EXPECT_EQ(found["ranks"], 1);
  EXPECT_EQ(found["tensors"]["param"], 83);
  EXPECT_EQ(found["dtypes"]["float32"]["tensors"], 17);
  EXPECT_EQ(found["targets"][0]["possible"], true);
  EXPECT_THAT(found["targets"][0]["chain"].get<std::string>(), HasSubstr("! evo2-mapper "));
}

TEST(Inspect, SaysWhyAModelFitsNoSize) {
  const auto outcome = command({"inspect", golden("nemo2/input_tiny.pt")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("not        nemo2-torch_dist: evo2-mapper: no size fits"));
}

TEST(Inspect, OfADamagedFileSaysSoAndFails) {
  const TempFolder folder;
  const auto whole = TempFolder::text_of(golden("nemo2/input_tiny.pt"));
  const auto file = folder.write("cut.pt", whole.substr(0, whole.size() / 2));
  const auto outcome = command({"inspect", file.string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("complete   no: zero1-reader: cut.pt"));
  EXPECT_THAT(outcome.err, HasSubstr("cut.pt"));
}

TEST(Inspect, ExplainsVortexsFormat) {
  const auto file = golden("cli/vortex.pt");
  const auto outcome = command({"inspect", file});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Vortex's inference format (keys blocks.N.…)"));
  const auto conversion = command({"convert", file, "out", "--to", "nemo2-torch_dist"});
  EXPECT_EQ(conversion.code, 3);
  EXPECT_THAT(conversion.err, HasSubstr(file + " is an Evo2 checkpoint in Vortex's"));
}

TEST(Inspect, ExplainsAGitLfsPointer) {
  const TempFolder folder;
  const auto file = folder.write("evo2.pt",
                                 "version https://git-lfs.github.com/spec/v1\n"
                                 "oid sha256:00\nsize 13000000000\n");
  const auto outcome = command({"inspect", file.string()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("git lfs pull"));
  const auto conversion = command({"convert", file.string(), "out", "--to", "nemo2-torch_dist"});
  EXPECT_EQ(conversion.code, 3);
  EXPECT_THAT(conversion.err, HasSubstr("evo2.pt is a git-lfs pointer"));
}

TEST(Inspect, ExplainsAHuggingFaceFolder) {
  const TempFolder folder;
  folder.write("hf/config.json", "{}");
  folder.write("hf/pytorch_model-00001-of-00002.bin", "");
  const auto outcome = command({"inspect", (folder / "hf").string(), "--json"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(json::parse(outcome.out)["format"], "hf-pytorch");
  EXPECT_EQ(json::parse(outcome.out)["readable"], false);
}

TEST(Inspect, ReadsSafetensors) {
  const std::string golden = std::string(CKPTBRIDGE_GOLDEN) + "/safetensors/sharded";
  const auto outcome = command({"inspect", golden, "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json found = json::parse(outcome.out);
  EXPECT_EQ(found["format"], "safetensors");
  EXPECT_EQ(found["properties"]["names"], "savanna");
  EXPECT_EQ(found["tensors"]["param"], 3);
}

TEST(Inspect, OfSomethingUnknownListsWhatCanBeRead) {
  const TempFolder folder;
  const auto file = folder.write("notes.txt", "hello");
  const auto outcome = command({"inspect", file.string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("there are readers for "), HasSubstr("zero1")));
  EXPECT_EQ(command({"inspect", (folder / "nothing").string()}).code, 3);
}

}  // namespace
}  // namespace ckptbridge
