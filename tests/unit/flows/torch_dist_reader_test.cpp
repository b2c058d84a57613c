// Folders of torch.distributed.checkpoint, as megatron-core and NeMo write them, and broken ones.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/nemo2/dcp_metadata.h"
#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using nemo2::DcpMetadata;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

void copy_folder(const fs::path& from, const fs::path& to) {
  for (const auto& [name, text] : files_in(from)) {
    fs::create_directories((to / name).parent_path());
    std::ofstream((to / name).string(), std::ios::binary) << text;
  }
}

class TorchDistReader : public testing::Test {
 protected:
  static fs::path megatron(const std::string& release) {
    return FlowRun::golden("nemo2/megatron_" + release);
  }

  // A copy of what megatron-core 0.16 wrote, with another .metadata.
  fs::path changed(const std::function<void(DcpMetadata&)>& change) const {
    const fs::path folder = flow_.folder() / "in";
    copy_folder(megatron("016"), folder);
    const std::string text = file_text(folder / ".metadata");
    DcpMetadata metadata = nemo2::read_dcp_metadata(std::as_bytes(std::span(text)), ".metadata");
    change(metadata);
    const auto bytes = nemo2::dcp_metadata(metadata.tensors, metadata.objects);
    flow_.folder().write("in/.metadata",
                         {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return folder;
  }

  static nemo2::StoredTensor& tensor(DcpMetadata& metadata, const std::string& key) {
    return *std::ranges::find(metadata.tensors, key, &nemo2::StoredTensor::key);
  }

  Error failure(const fs::path& input) const { return flow_.failure(input, "nemo2-torch_dist"); }

  FlowRun flow_;
};

TEST_F(TorchDistReader, ReadsWhatTheRealImporterWrote) {
  const fs::path input = FlowRun::golden("nemo2/out_torch_dist");
  const auto run = flow_.convert(input, "nemo2-torch_dist");
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  const DcpFolder theirs = read_dcp(input / "weights");
  EXPECT_EQ(theirs.tensors.size(), 73u);
  EXPECT_EQ(ours.tensors, theirs.tensors);
  EXPECT_EQ(ours.objects, theirs.objects);
  for (const auto& [key, tensor] : theirs.tensors) {
    EXPECT_EQ(ours.tensors.at(key).chunks, tensor.chunks) << key;
  }
  for (const char* file : {"context/io.json", "context/model.yaml"}) {
    EXPECT_EQ(file_text(flow_.out() / file), file_text(input / file)) << file;
  }
  EXPECT_EQ(run->coverage.used, run->coverage.declared);
  EXPECT_EQ(run->source.graph.properties(), (Properties{{"epoch", "0"},
                                                        {"format", "nemo2-torch_dist"},
                                                        {"global_step", "0"},
                                                        {"mp_world_size", "1"},
                                                        {"names", "megatron"},
                                                        {"pytorch-lightning_version", "2.4.0"}}));
}

TEST_F(TorchDistReader, IsReadAndWrittenAgainToTheSameBytes) {
  flow_.convert(FlowRun::golden("nemo2/out_torch_dist"), "nemo2-torch_dist");
  const FlowRun again;
  again.convert(flow_.out(), "nemo2-torch_dist");
  EXPECT_EQ(files_in(again.out()), files_in(flow_.out()));
}

TEST_F(TorchDistReader, ReadsEveryReleaseOfMegatronAlike) {
  for (const char* release : {"012", "016", "019"}) {
    const FlowRun flow;
    flow.convert(megatron(release), "nemo2-torch_dist");
    const DcpFolder ours = read_dcp(flow.out() / "weights");
    DcpFolder theirs = read_dcp(megatron(release));
    // The importer's: what is optimizer state is left out, and common_state becomes common.pt.
    theirs.tensors.erase("optimizer.state.exp_avg.module.w");
    theirs.objects.erase("common_state/shard_0_1");
    EXPECT_EQ(theirs.tensors.size(), 4u) << release;
    EXPECT_EQ(ours.tensors, theirs.tensors) << release;
    EXPECT_EQ(ours.objects, theirs.objects) << release;
    EXPECT_EQ(ours.tensors.at("module.split.w").chunks, 2u) << release;
    EXPECT_EQ(ours.tensors.at("module.layers").shape, (std::vector<std::int64_t>{1, 6})) << release;
    // iteration, args and what else is not sharded
    EXPECT_THAT(file_text(flow.out() / "weights/common.pt"), HasSubstr("iteration")) << release;
  }
}

TEST_F(TorchDistReader, LeavesOutOptimizerStateInOneLine) {
  const auto run = flow_.convert(megatron("012"), "nemo2-torch_dist");
  ASSERT_EQ(run->coverage.dropped.size(), 1u);
  EXPECT_EQ(run->coverage.dropped[0].reason,
            "optimizer state, which a checkpoint of weights does not hold");
  EXPECT_GT(run->coverage.dropped[0].bytes, 24u * 4);
}

TEST_F(TorchDistReader, SaysThatAContextLiesAbove) {
  const auto run = flow_.read(FlowRun::golden("nemo2/out_torch_dist/weights"));
  EXPECT_EQ(run->source.graph.tensors().size(), 73u);
  ASSERT_EQ(run->source.arena->notes.size(), 1u);
  EXPECT_THAT(
      run->source.arena->notes[0],
      HasSubstr("give " + FlowRun::golden("nemo2/out_torch_dist").lexically_normal().string()));
}

TEST_F(TorchDistReader, RefusesAHole) {
  const Error error = failure(
      changed([](DcpMetadata& metadata) { tensor(metadata, "module.split.w").chunks.pop_back(); }));
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(),
              HasSubstr("module.split.w: no chunk holds the elements from [2, 0] to [4, 6]"));
}

TEST_F(TorchDistReader, RefusesChunksThatOverlap) {
  const Error error = failure(changed([](DcpMetadata& metadata) {
    nemo2::StoredTensor& split = tensor(metadata, "module.split.w");
    split.global_shape = {3, 6};
    split.chunks[1].offsets = {1, 0};
  }));
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(),
              HasSubstr("module.split.w: the chunks of [2, 6] at [0, 0] and of [2, 6] at [1, 0] "
                        "overlap"));
}

TEST_F(TorchDistReader, RefusesAChunkOfAnotherShape) {
  const Error error = failure(changed([](DcpMetadata& metadata) {
    nemo2::StoredTensor& w = tensor(metadata, "module.w");
    w.global_shape = w.chunks[0].sizes = {6, 4};
  }));
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(),
              HasSubstr("module.w: the chunk at [0, 0] is [4, 6], .metadata says [6, 4]"));
}

TEST_F(TorchDistReader, RefusesDataBeyondItsFile) {
  const Error error = failure(changed([](DcpMetadata& metadata) {
    tensor(metadata, "module.w").chunks[0].item.offset = std::uint64_t{1} << 62;
  }));
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("module.w (__0_"));
  EXPECT_THAT(error.what(), HasSubstr("lies beyond the"));
}

TEST_F(TorchDistReader, RefusesPathsThatLeaveTheCheckpoint) {
  for (const char* path : {"/etc/passwd", "../in/__0_0.distcp", "a/../../in/__0_0.distcp", ""}) {
    const Error error = failure(changed(
        [&](DcpMetadata& metadata) { tensor(metadata, "module.w").chunks[0].item.path = path; }));
    EXPECT_EQ(error.code(), CKB_CORRUPT) << path;
    EXPECT_THAT(error.what(), HasSubstr(std::string("module.w: is said to lie in \"") + path +
                                        "\", outside the checkpoint"));
  }
}

TEST_F(TorchDistReader, NamesTheTensorWhoseFileIsMissing) {
  copy_folder(megatron("016"), flow_.folder() / "in");
  fs::remove(flow_.folder() / "in/__0_1.distcp");
  const Error error = failure(flow_.folder() / "in");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("module."));
  EXPECT_THAT(error.what(), HasSubstr("__0_1.distcp, which is not there"));
}

TEST_F(TorchDistReader, NamesTheTensorWhoseFileIsCutShort) {
  copy_folder(megatron("016"), flow_.folder() / "in");
  const std::string whole = file_text(megatron("016") / "__0_1.distcp");
  flow_.folder().write("in/__0_1.distcp", whole.substr(0, whole.size() - 1));
  const Error error = failure(flow_.folder() / "in");
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("module."));
  EXPECT_THAT(error.what(), HasSubstr("cut short or of another checkpoint"));
}

TEST_F(TorchDistReader, RefusesACheckpointWhoseSavingHasNotEnded) {
  copy_folder(FlowRun::golden("nemo2/out_torch_dist"), flow_.folder() / "in");
  flow_.folder().write("in-unfinished", "");
  for (const char* input : {"in", "in/", "in/weights"}) {
    const Error error = failure(flow_.folder() / input);
    EXPECT_EQ(error.code(), CKB_CORRUPT) << input;
    EXPECT_THAT(error.what(), HasSubstr("in-unfinished")) << input;
  }
}

TEST_F(TorchDistReader, RefusesACheckpointWithoutMetadata) {
  copy_folder(FlowRun::golden("nemo2/out_torch_dist"), flow_.folder() / "in");
  fs::remove(flow_.folder() / "in/weights/.metadata");
  const Error error = failure(flow_.folder() / "in");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("there is no weights/.metadata; it is written last"));
}

TEST_F(TorchDistReader, RefusesAnUnknownVersionOfTheBackend) {
  copy_folder(megatron("016"), flow_.folder() / "in");
  flow_.folder().write("in/metadata.json",
                       R"({"sharded_backend": "torch_dist", "sharded_backend_version": 2})");
  const Error error = failure(flow_.folder() / "in");
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(),
              HasSubstr("metadata.json: sharded_backend_version: expected 1, found 2"));
}

TEST_F(TorchDistReader, RefusesACutMetadataFile) {
  copy_folder(megatron("012"), flow_.folder() / "in");
  const std::string whole = file_text(megatron("012") / ".metadata");
  for (const std::size_t size : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    flow_.folder().write("in/.metadata", whole.substr(0, size));
    const Error error = failure(flow_.folder() / "in");
    EXPECT_EQ(error.code(), CKB_CORRUPT) << size;
    EXPECT_THAT(error.what(), HasSubstr(".metadata")) << size;
  }
}

}  // namespace
}  // namespace ckptbridge
