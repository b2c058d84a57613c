// Zarr checkpoints: ours against those of NeMo's importer and of megatron-core, and broken ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<OptionText> kTiny = {
    {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}};

// What the .pt holds, as a pickle.
std::string object_in(const std::string& text) {
  const torch_file::MemorySource source(std::as_bytes(std::span(text)), "object");
  const torch_file::TorchFile pt = torch_file::read_torch_file(source);
  const auto pickle = torch_file::pickle(pt.values, pt.root);
  return {reinterpret_cast<const char*>(pickle.data()), pickle.size()};
}

class Zarr : public testing::Test {
 protected:
  static fs::path expected() { return FlowRun::golden("nemo2/out_zarr"); }
  static fs::path torch_dist() { return FlowRun::golden("nemo2/out_torch_dist"); }

  void write_array(const std::string& key, const std::string& zarray) const {
    flow_.folder().write("in/metadata.json", R"({"sharded_backend": "zarr"})");
    flow_.folder().write("in/" + key + "/.zarray", zarray);
  }
  // An int8 array "module.w"; chunks are "0.0", ….
  void write_small(const std::string& shape, const std::string& chunks,
                   const std::string& more = R"("order": "C", "compressor": null)") const {
    write_array("module.w", R"({"shape":)" + shape + R"(,"chunks":)" + chunks +
                                R"(,"dtype":"|i1","fill_value":null,"filters":null,)"
                                R"("zarr_format":2,)" +
                                more + "}");
  }
  void write_chunk(const std::string& name, const std::string& bytes) const {
    flow_.folder().write("in/module.w/" + name, bytes);
  }
  // The bytes of module.w once it is in the other format.
  std::string converted() const {
    flow_.convert(flow_.folder() / "in", "nemo2-torch_dist");
    return read_dcp(flow_.out() / "weights").tensors.at("module.w").bytes;
  }
  Error failure() const { return flow_.failure(flow_.folder() / "in", "nemo2-torch_dist"); }

  FlowRun flow_;
};

TEST_F(Zarr, HasTheFilesOfTheRealImporter) {
  const auto run = flow_.convert(FlowRun::golden("nemo2/input_tiny.pt"), "nemo2-zarr", kTiny);
  const auto ours = files_in(flow_.out());
  const auto theirs = files_in(expected());
  EXPECT_EQ(theirs.size(), 187u);
  for (const auto& [name, text] : theirs) {
    ASSERT_TRUE(ours.contains(name)) << name;
    if (name.ends_with(".pt")) {
      EXPECT_EQ(object_in(ours.at(name)), object_in(text)) << name;
    } else if (!name.ends_with("io.json")) {
      EXPECT_EQ(ours.at(name), text) << name;
    }
  }
  EXPECT_EQ(ours.size(), theirs.size());
  EXPECT_THAT(ours.at("context/io.json"),
              AllOf(HasSubstr("\"zarr\""), Not(HasSubstr("torch_dist"))));
  EXPECT_THAT(run->source.arena->notes, testing::Contains(HasSubstr("megatron-core up to 0.15")));
}

TEST_F(Zarr, BecomesTorchDistAsTheRealImporterMadeIt) {
  flow_.convert(expected(), "nemo2-torch_dist");
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  const DcpFolder theirs = read_dcp(torch_dist() / "weights");
  EXPECT_EQ(ours.tensors, theirs.tensors);
  EXPECT_EQ(ours.objects, theirs.objects);
  for (const auto& [key, tensor] : theirs.tensors) {
    EXPECT_EQ(ours.tensors.at(key).chunks, tensor.chunks) << key;
  }
  EXPECT_EQ(file_text(flow_.out() / "context/io.json"),
            file_text(torch_dist() / "context/io.json"));
  EXPECT_EQ(file_text(flow_.out() / "context/model.yaml"),
            file_text(torch_dist() / "context/model.yaml"));
}

TEST_F(Zarr, GoesToTorchDistAndBackWithoutAChange) {
  const FlowRun first;
  const FlowRun second;
  const FlowRun third;
  first.convert(FlowRun::golden("nemo2/input_tiny.pt"), "nemo2-torch_dist", kTiny);
  second.convert(first.out(), "nemo2-zarr");
  third.convert(second.out(), "nemo2-torch_dist");
  EXPECT_EQ(files_in(third.out()), files_in(first.out()));
  flow_.convert(third.out(), "nemo2-zarr");
  EXPECT_EQ(files_in(flow_.out()), files_in(second.out()));
}

TEST_F(Zarr, ReadsWhatMegatronSaved) {
  flow_.convert(FlowRun::golden("nemo2/megatron_zarr_012"), "nemo2-torch_dist");
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  DcpFolder theirs = read_dcp(FlowRun::golden("nemo2/megatron_012"));
  theirs.tensors.erase("optimizer.state.exp_avg.module.w");
  EXPECT_EQ(ours.tensors, theirs.tensors);
  EXPECT_EQ(ours.objects, theirs.objects);
  EXPECT_EQ(ours.tensors.at("module.split.w").chunks, 2u);
}

TEST_F(Zarr, CutsTensorsIntoPaddedChunksOfAtMostSoManyBytes) {
  auto options = kTiny;
  options.push_back({"chunk-bytes", "20000"});
  flow_.convert(FlowRun::golden("nemo2/input_tiny.pt"), "nemo2-zarr", options);
  // 512 rows of 128 bytes: 156 in each chunk.
  const fs::path folder = flow_.out() / "weights/module.embedding.word_embeddings.weight";
  const std::string whole =
      file_text(expected() / "weights/module.embedding.word_embeddings.weight/0.0");
  for (std::size_t i = 0; i < 4; ++i) {
    std::string chunk = whole.substr(i * 156 * 128, 156 * 128);
    chunk.resize(156 * 128);
    EXPECT_EQ(file_text(folder / (std::to_string(i) + ".0")), chunk) << i;
  }
  EXPECT_FALSE(fs::exists(folder / "4.0"));
  const FlowRun again;
  const auto run = again.convert(flow_.out(), "nemo2-torch_dist");
  EXPECT_EQ(read_dcp(again.out() / "weights").tensors, read_dcp(torch_dist() / "weights").tensors);
  ASSERT_EQ(run->coverage.dropped.size(), 1u);
  EXPECT_THAT(run->coverage.dropped[0].reason, HasSubstr("padding"));
}

TEST_F(Zarr, RefusesChunksWithoutBytes) {
  const Error error = flow_.failure(expected(), "nemo2-zarr", {{"chunk-bytes", "0"}});
  EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
}

TEST_F(Zarr, KeepsEveryPatternOfBfloat16) {
  std::string all;
  for (int i = 0; i < 65536; ++i) {
    all += static_cast<char>(i & 0xFF);
    all += static_cast<char>(i >> 8);
  }
  write_array("module.w", R"({"shape":[65536],"chunks":[65536],"dtype":"bfloat16","order":"C",
      "fill_value":null,"filters":null,"compressor":null,"zarr_format":2})");
  write_chunk("0", all);
  EXPECT_EQ(converted(), all);
  const FlowRun back;
  back.convert(flow_.out(), "nemo2-zarr");
  EXPECT_EQ(file_text(back.out() / "weights/module.w/0"), all);
}

TEST_F(Zarr, CutsThePaddingOffAtEveryEdge) {
  write_small("[3, 5]", "[2, 3]");
  write_chunk("0.0", "abcfgh");
  write_chunk("0.1", "de#ij#");
  write_chunk("1.0", "klm###");
  write_chunk("1.1", "no####");
  EXPECT_EQ(converted(), "abcdefghijklmno");
}

TEST_F(Zarr, ReadsColumnMajorChunks) {
  write_small("[2, 3]", "[2, 3]", R"("order": "F", "compressor": null)");
  write_chunk("0.0", "adbecf");
  EXPECT_EQ(converted(), "abcdef");
}

TEST_F(Zarr, ReadsChunksInFolders) {
  write_small("[2, 2]", "[1, 2]",
              R"("order": "C", "compressor": null, "dimension_separator": "/")");
  write_chunk("0/0", "ab");
  write_chunk("1/0", "cd");
  EXPECT_EQ(converted(), "abcd");
}

TEST_F(Zarr, ReadsAndWritesTensorsWithoutDimensions) {
  write_small("[]", "[]");
  write_chunk("0", "x");
  EXPECT_EQ(converted(), "x");
  const FlowRun back;
  const auto run = back.convert(flow_.out(), "nemo2-zarr");
  EXPECT_EQ(file_text(back.out() / "weights/module.w/0"), "x");
  EXPECT_THAT(run->source.arena->notes,
              testing::Contains(HasSubstr("1 tensors have no dimensions")));
}

TEST_F(Zarr, ReadsAndWritesTensorsWithoutElements) {
  write_small("[0, 5]", "[1, 5]");
  EXPECT_EQ(converted(), "");
  EXPECT_EQ(read_dcp(flow_.out() / "weights").tensors.at("module.w").shape,
            (std::vector<std::int64_t>{0, 5}));
}

TEST_F(Zarr, IgnoresLocksAndLeavesOutOptimizerState) {
  write_small("[1, 2]", "[1, 2]");
  write_chunk("0.0", "ab");
  flow_.folder().write("in/module.w.sync/.zarray/lock", "");
  flow_.folder().write("in/optimizer.state.exp_avg.module.w/0.0", "12345678");
  const auto run = flow_.convert(flow_.folder() / "in", "nemo2-torch_dist");
  ASSERT_EQ(run->coverage.dropped.size(), 1u);
  EXPECT_THAT(run->coverage.dropped[0].reason, HasSubstr("optimizer state"));
  EXPECT_EQ(run->coverage.dropped[0].bytes, 8u);
}

TEST_F(Zarr, NamesTheChunkThatIsMissing) {
  write_small("[2, 2]", "[1, 2]");
  write_chunk("0.0", "ab");
  const Error error = failure();
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("module.w: chunk 1.0 of 2 x 1 is missing"));
}

TEST_F(Zarr, NamesTheChunkThatHasAnotherSize) {
  write_small("[2, 2]", "[1, 2]");
  write_chunk("0.0", "ab");
  for (const char* chunk : {"", "c", "cde"}) {
    write_chunk("1.0", chunk);
    const Error error = failure();
    EXPECT_EQ(error.code(), CKB_CORRUPT);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("module.w: chunk 1.0 has "), HasSubstr("expected 2")));
  }
}

TEST_F(Zarr, RefusesCompressedChunks) {
  write_small("[2, 2]", "[1, 2]", R"("order": "C", "compressor": {"id": "blosc"})");
  const Error error = failure();
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("module.w/.zarray: compressor: expected null"),
                                  HasSubstr("found {\"id\":\"blosc\"}")));
}

TEST_F(Zarr, RefusesAFolderWithoutTensors) {
  flow_.folder().write("in/metadata.json", R"({"sharded_backend": "zarr"})");
  EXPECT_THAT(failure().what(), HasSubstr("there is no tensor"));
}

}  // namespace
}  // namespace ckptbridge
