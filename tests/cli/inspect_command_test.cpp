#include <map>

#include "core/text/json.h"
#include "tests/cli/command.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

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
  const auto found = Json::parse(outcome.out);
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

TEST(Inspect, SaysWhoWroteIt) {
  const auto found = Json::parse(command({"inspect", golden("nemo2/input_tiny.pt"), "--json"}).out);
  EXPECT_EQ(found["properties"]["ds_version"], "0.14.2");
  EXPECT_EQ(found["properties"]["global_steps"], "1");
  const auto nemo = Json::parse(command({"inspect", golden("nemo2/out_zarr"), "--json"}).out);
  EXPECT_EQ(nemo["properties"]["pytorch-lightning_version"], "2.4.0");
}

TEST(Inspect, NamesSuspiciousPickles) {
  const auto file = golden("cli/os_system.pt");
  EXPECT_THAT(command({"inspect", file}).out,
              HasSubstr("warning    os_system.pt: its pickle names"));
  const auto found = Json::parse(command({"inspect", file, "--json"}).out);
  ASSERT_EQ(found["warnings"].size(), 1u);
  EXPECT_THAT(found["warnings"][0].get<std::string>(), HasSubstr("os.system"));
}

// Bytes of a file.
std::string bytes_at(const Json& piece) {
  return TempFolder::text_of(piece["file"].get<std::string>())
      .substr(piece["offset"].get<std::size_t>(), piece["size"].get<std::size_t>());
}

std::string bytes_of(const Json& tensor) {
  std::string bytes;
  for (const Json& piece : tensor["pieces"]) bytes += bytes_at(piece);
  return bytes;
}

TEST(InspectTensors, SaysWhereTheBytesOfEachAre) {
  const auto text = command({"inspect", golden("nemo2/input_tiny.pt"),
                             "--tensors=sequential.2.mlp.w?.weight", "--tensors=*.3.mlp.w1.*"})
                        .out;
  // The offset is what Python's zipfile says of the entry.
  EXPECT_THAT(text, HasSubstr("\n\nsequential.2.mlp.w1.weight\n  param, bfloat16 [176, 64]\n"
                              "  input_tiny.pt: offset 114,752, 22,528 bytes\n"
                              "sequential.2.mlp.w2.weight\n"));
  EXPECT_THAT(text, HasSubstr("\nsequential.3.mlp.w1.weight\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("\nsequential.4")));
}

TEST(InspectTensors, JoinTheRanksOfOneNameInTheOrderOfTheModel) {
  const auto text = command({"inspect", golden("zero1/z1_mp8"), "--tensors"}).out;
  const auto at = text.find("sequential.5.mlp.w1.weight\n  param, bfloat16 [12, 64]\n  rank 0  ");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_NE(text.find("\n  rank 7  global_step10/mp_rank_07_model_states.pt: offset ", at),
            std::string::npos);
  EXPECT_LT(text.find("\nsequential.0.word"), text.find("\nsequential.2."));
}

TEST(InspectTensors, GiveAllPiecesOfZero3InJson) {
  const auto folder = golden("zero3/ds_z3_w2_frozen");
  const auto parts = Json::parse(command({"inspect", folder, "--tensors", "--json"}).out);
  const auto whole =
      Json::parse(command({"inspect", folder + "/truth_mp_rank_00.pt", "--tensors", "--json"}).out);
  std::map<std::string, std::string> truth;  // as DeepSpeed gathered them
  for (const Json& tensor : whole["tensor_list"]) truth[tensor["name"].text()] = bytes_of(tensor);
  std::size_t in_pieces = 0;
  for (const Json& tensor : parts["tensor_list"]) {
    if (tensor["role"] != "param" || tensor["dtype"] != "float32") continue;
    ASSERT_TRUE(truth.contains(tensor["name"].text())) << tensor["name"];
    EXPECT_EQ(bytes_of(tensor), truth[tensor["name"].text()]) << tensor["name"];
    if (tensor["pieces"].size() == 2) ++in_pieces;
  }
  EXPECT_GT(in_pieces, 10u);
}

TEST(InspectTensors, ShowTheFirstPieceAndAllWithVerbose) {
  const auto folder = golden("zero3/ds_z3_w2_frozen");
  const std::string name = "--tensors=sequential.2.mlp.w1.weight";
  EXPECT_THAT(command({"inspect", folder, name}).out,
              HasSubstr("\n  2 pieces, the first: global_step2/bf16_zero_pp_rank_0_mp_rank_00_"));
  EXPECT_THAT(command({"inspect", folder, name, "-v"}).out,
              AllOf(HasSubstr("\n  2 pieces\n    global_step2/bf16_zero_pp_rank_0_mp_rank_00_"),
                    HasSubstr("\n    global_step2/bf16_zero_pp_rank_1_mp_rank_00_")));
}

TEST(InspectTensors, NameNearOnesWhereAPatternFitsNone) {
  const auto outcome =
      command({"inspect", golden("nemo2/input_tiny.pt"), "--tensors=sequential.2.mlp.w1.weigth"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no tensor has the name sequential.2.mlp.w1.weigth; near ones "
                                     "are sequential.2.mlp.w1.weight"));
}

// A file of one tensor.
std::string with_name(const TempFolder& folder, const std::string& name) {
  const std::string header =
      R"({")" + name + R"(":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  std::string text(8, '\0');
  text[0] = static_cast<char>(header.size());
  return folder.write("x.safetensors", text + header + "xy").string();
}

TEST(InspectTensors, TakeNamesWithSlashesAndLettersOfAnyKind) {
  const TempFolder folder;
  EXPECT_THAT(command({"inspect", with_name(folder, "a/wörd"), "--tensors=*ö*"}).out,
              HasSubstr("\na/wörd\n  param, uint8 [2]\n  x.safetensors: offset "));
}

TEST(InspectTensors, NeverMoveTheCursor) {
  const TempFolder folder;
  const auto outcome = command({"inspect", with_name(folder, "a\\u001b[2J\\nb"), "--tensors=*"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out + outcome.err,
              AllOf(HasSubstr("a\\x1b[2J\\x0ab"), testing::Not(HasSubstr("\x1b"))));
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
  EXPECT_EQ(Json::parse(outcome.out)["format"], "hf-pytorch");
  EXPECT_EQ(Json::parse(outcome.out)["readable"], false);
}

TEST(Inspect, ReadsSafetensors) {
  const std::string golden = std::string(paths::golden()) + "/safetensors/sharded";
  const auto outcome = command({"inspect", golden, "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json found = Json::parse(outcome.out);
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
