// ZeRO-1 to NeMo2, against what NeMo's own importer made of the same file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

const std::vector<OptionText> kTiny = {
    {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}};

class Nemo2 : public testing::Test {
 protected:
  static boost::filesystem::path input() { return FlowRun::golden("nemo2/input_tiny.pt"); }
  static boost::filesystem::path expected() { return FlowRun::golden("nemo2/out_torch_dist"); }

  FlowRun flow_;
};

TEST_F(Nemo2, HasTheTensorsAndObjectsOfTheRealImporter) {
  flow_.convert(input(), "nemo2-torch_dist", kTiny);
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  const DcpFolder theirs = read_dcp(expected() / "weights");
  EXPECT_EQ(theirs.tensors.size(), 73u);
  ASSERT_EQ(ours.tensors.size(), theirs.tensors.size());
  for (const auto& [key, tensor] : theirs.tensors) {
    ASSERT_TRUE(ours.tensors.contains(key)) << key;
    EXPECT_TRUE(ours.tensors.at(key) == tensor) << key;
    EXPECT_EQ(ours.tensors.at(key).chunks, tensor.chunks) << key;
  }
  EXPECT_EQ(ours.objects, theirs.objects);
}

TEST_F(Nemo2, HasTheContextOfTheRealImporter) {
  flow_.convert(input(), "nemo2-torch_dist", kTiny);
  for (const char* file : {"context/io.json", "weights/metadata.json"}) {
    EXPECT_EQ(Json::parse(file_text(flow_.out() / file)), Json::parse(file_text(expected() / file)))
        << file;
  }
  EXPECT_EQ(file_text(flow_.out() / "context/model.yaml"),
            file_text(expected() / "context/model.yaml"));
}

TEST_F(Nemo2, GivesTheSameBytesForAnyNumberOfThreads) {
  std::map<std::string, std::string> first;
  for (const unsigned threads : {1u, 2u, 7u}) {
    const FlowRun flow;
    Settings settings;
    settings.reading.limits.threads = threads;
    flow.convert(input(), "nemo2-torch_dist", kTiny, settings);
    const auto files = files_in(flow.out());
    if (first.empty()) first = files;
    EXPECT_EQ(files, first) << threads << " threads";
  }
  EXPECT_EQ(first.size(), 7u);
}

TEST_F(Nemo2, AccountsForEveryByteOfTheInput) {
  const auto run = flow_.convert(input(), "nemo2-torch_dist", kTiny);
  std::uint64_t dropped = 0;
  for (const DroppedBytes& drop : run->coverage.dropped) dropped += drop.bytes;
  EXPECT_EQ(run->coverage.used + dropped, run->coverage.declared);
  // Columns 128 to 255 of h and decay, 16 rows of float32, in two D layers.
  EXPECT_EQ(dropped, 2u * 2 * 16 * 128 * 4 + 2 * 256 * 4 + 8 * 4);
}

TEST_F(Nemo2, NamesTheDimensionThatDoesNotFit) {
  auto profile = Json::parse(file_text(FlowRun::golden("nemo2/tiny_profile.json")));
  profile["ffn_hidden_size"] = 192;
  const auto file = flow_.folder().write("wide.json", profile.dump());
  const Error error = flow_.failure(input(), "nemo2-torch_dist", {{"profile", file.string()}});
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("evo2-mapper: the checkpoint is not of size tiny: "
                                      "mlp.w1.weight has 176 rows, tiny has 192 (7 layers)"));
}

TEST_F(Nemo2, SuggestsASizeForAMistypedOne) {
  const Error error = flow_.failure(input(), "nemo2-torch_dist", {{"model-size", "7b_arc"}});
  EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
  EXPECT_THAT(error.what(), HasSubstr("7b_arc_longcontext"));
}

TEST_F(Nemo2, RefusesAMissingFile) {
  const Error error = flow_.failure(flow_.folder() / "no.pt", "nemo2-torch_dist");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("no.pt"));
}

TEST_F(Nemo2, RefusesATruncatedFile) {
  const std::string whole = file_text(input());
  for (const std::size_t size : {std::size_t{10}, whole.size() / 2, whole.size() - 1}) {
    const auto cut = flow_.folder().write("cut.pt", whole.substr(0, size));
    const Error error = flow_.failure(cut, "nemo2-torch_dist", kTiny);
    EXPECT_EQ(error.code(), CKB_CORRUPT) << size;
    EXPECT_THAT(error.what(), HasSubstr("cut.pt")) << size;
  }
}

TEST_F(Nemo2, RefusesAFolderWithoutRankFiles) {
  boost::filesystem::create_directories(flow_.folder() / "empty");
  const Error error = flow_.failure(flow_.folder() / "empty", "nemo2-torch_dist");
  EXPECT_THAT(error.what(), HasSubstr("empty"));
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
}

TEST_F(Nemo2, RefusesAnOutputThatIsThere) {
  const auto out = flow_.folder().write("out/mine.txt", "precious");
  try {
    flow_.convert(input(), "nemo2-torch_dist", kTiny);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_EXISTS);
    EXPECT_THAT(error.what(), HasSubstr("mine.txt"));
  }
  EXPECT_EQ(file_text(out), "precious");
}

TEST_F(Nemo2, RefusesAnInputInsideTheOutput) {
  const auto in = flow_.folder().write("out/in.pt", file_text(input()));
  try {
    flow_.convert(in, "nemo2-torch_dist", kTiny);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
  }
  EXPECT_TRUE(boost::filesystem::exists(in));
}

}  // namespace
}  // namespace ckptbridge
