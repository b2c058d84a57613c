// What zero1-reader says of real and of broken checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/execute/value_reader.h"
#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/state_dict.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A .pt of a pickle that was written by hand, without storages.
std::string pt_of(const std::string& pickle) {
  namespace tf = torch_file;
  const auto bytes = std::as_bytes(std::span(pickle));
  const tf::ZipLayout zip = tf::lay_out_torch_file(tf::Bytes(bytes.begin(), bytes.end()), {});
  std::string file(zip.size, '\0');
  for (const auto& literal : zip.literals) {
    std::memcpy(file.data() + literal.offset, literal.bytes.data(), literal.bytes.size());
  }
  return file;
}

class Zero1 : public testing::Test {
 protected:
  FlowRun flow_;
};

TEST_F(Zero1, NeverRunsWhatAPickleNames) {
  const std::string ran = (flow_.folder() / "ran").string();
  // Built in pieces, as lengths hold zeros, which would end a literal.
  std::string pickle = "\x80\x02}X";
  pickle += std::string("\x06\0\0\0", 4) + "module";
  pickle += "cos\nsystem\nX";
  pickle += static_cast<char>(6 + ran.size());
  pickle += std::string("\0\0\0", 3) + "touch " + ran + "\x85Rs.";
  const auto in = flow_.folder().write("evil.pt", pt_of(pickle));
  const Error error = flow_.failure(in, "nemo2-torch_dist", {{"model-size", "7b"}});
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("evil.pt"));
  EXPECT_FALSE(boost::filesystem::exists(ran));
}

// A state with one tensor of 64 KiB, and where its bytes begin in the file.
std::pair<std::string, std::size_t> one_tensor() {
  const std::string data(65536, 'x');
  std::string file = make_rank_file({{"w", {65536}, data}});
  const std::size_t begin = file.find(data);
  return {std::move(file), begin};
}

TEST_F(Zero1, RefusesTensorDataThatIsNotWhatTheZipSays) {
  auto [file, begin] = one_tensor();
  file[begin + 40'000] ^= 2;
  const auto in = flow_.folder().write("in.pt", file);
  const Error error = flow_.failure(in, "pt");
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("in.pt: record data/0 was changed after it was written"));
  Settings settings;
  settings.reading.ignore_checksums = true;
  flow_.convert(in, "pt", {}, settings);
  EXPECT_EQ(read_state_dict(flow_.out() / "model.pt").at(0).bytes, file.substr(begin, 65536));
}

TEST_F(Zero1, TakesFilesWithoutChecksums) {
  auto [file, begin] = one_tensor();
  const std::uint32_t sum = torch_file::crc32(std::as_bytes(std::span(file)).subspan(begin, 65536));
  const std::string field(reinterpret_cast<const char*>(&sum), sizeof(sum));
  int fields = 0;
  for (auto at = file.find(field); at != std::string::npos; at = file.find(field), ++fields) {
    file.replace(at, field.size(), std::string(field.size(), '\0'));
  }
  EXPECT_EQ(fields, 2);
  file[begin] ^= 2;
  flow_.convert(flow_.folder().write("in.pt", file), "pt");
}

TEST_F(Zero1, RefusesNamesWithZeroBytesOrControlCharacters) {
  for (const auto& [name, shown] : {std::pair(std::string("a\0b", 3), "'a\\x00b'"),
                                    std::pair(std::string("a\x1b[2Jb"), "'a\\x1b[2Jb'")}) {
    const auto in =
        flow_.folder().write("in.pt", make_rank_file({{name, {4}, std::string(4, 'x')}}));
    const Error error = flow_.failure(in, "pt");
    EXPECT_EQ(error.code(), CKB_CORRUPT);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("in.pt: module: found str "), HasSubstr(shown),
                                    HasSubstr("expected a name without control characters")));
  }
}

std::string bytes_of(const Checkpoint& source, ckb_node value) {
  const Nodes& nodes = source.arena->nodes;
  std::string bytes(nodes.size(value), '\0');
  ValueReader(*source.arena, 1 << 20)
      .read(value, 0, nodes.count(value), std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

TEST_F(Zero1, ReadsLegacyFilesAsItReadsZips) {
  const auto zip = flow_.read(FlowRun::golden("zero1/zip"));
  const auto legacy = flow_.read(FlowRun::golden("zero1/legacy"));
  EXPECT_EQ(legacy->source.graph.properties(), zip->source.graph.properties());
  ASSERT_EQ(zip->source.graph.tensors().size(), 21u);
  ASSERT_EQ(legacy->source.graph.tensors().size(), 21u);
  for (std::size_t i = 0; i < 21; ++i) {
    const Tensor& expected = zip->source.graph.tensors()[i];
    const Tensor& found = legacy->source.graph.tensors()[i];
    EXPECT_EQ(found.name, expected.name);
    EXPECT_EQ(found.role, expected.role);
    EXPECT_EQ(legacy->source.arena->nodes.dtype(found.value),
              zip->source.arena->nodes.dtype(expected.value));
    EXPECT_TRUE(bytes_of(legacy->source, found.value) == bytes_of(zip->source, expected.value))
        << found.name;
  }
  ASSERT_EQ(legacy->source.graph.objects().size(), zip->source.graph.objects().size());
  for (std::size_t i = 0; i < zip->source.graph.objects().size(); ++i) {
    const Object& expected = zip->source.graph.objects()[i];
    const Object& found = legacy->source.graph.objects()[i];
    EXPECT_EQ(found.name, expected.name);
    EXPECT_TRUE(found.data == expected.data) << found.name;
    ASSERT_EQ(found.storages.size(), expected.storages.size());
    for (std::size_t s = 0; s < found.storages.size(); ++s) {
      EXPECT_TRUE(bytes_of(legacy->source, found.storages[s]) ==
                  bytes_of(zip->source, expected.storages[s]))
          << found.name;
    }
  }
}

TEST_F(Zero1, DropsWhatLiesAroundViewsOfLegacyFiles) {
  const auto run = flow_.read(FlowRun::golden("torch_file/legacy_views.pt"));
  EXPECT_EQ(run->source.graph.tensors().size(), 4u);
  ASSERT_EQ(run->source.arena->untouched_drops.size(), 1u);  // two elements of storage 200
  ASSERT_EQ(run->source.arena->untouched_drops[0].bytes.size(), 1u);
  EXPECT_EQ(run->source.arena->untouched_drops[0].bytes[0].end -
                run->source.arena->untouched_drops[0].bytes[0].begin,
            8u);
}

TEST_F(Zero1, ExplainsAGitLfsPointer) {
  const auto in = flow_.folder().write(
      "model.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n");
  EXPECT_THAT(flow_.failure(in, "nemo2-torch_dist", {{"model-size", "7b"}}).what(),
              HasSubstr("model.pt"));
}

TEST_F(Zero1, SaysWhichRankIsMissing) {
  const std::string whole = file_text(FlowRun::golden("nemo2/input_tiny.pt"));
  for (const char* rank : {"00", "01", "03"}) {
    flow_.folder().write(std::string("in/mp_rank_") + rank + "_model_states.pt", whole);
  }
  const Error error = flow_.failure(flow_.folder() / "in", "nemo2-torch_dist");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("rank 2 is missing: no mp_rank_02_model_states.pt"));
}

TEST_F(Zero1, RefusesRankFilesOfAnotherWorldSize) {
  // The file says that it is the only rank.
  const std::string whole = file_text(FlowRun::golden("nemo2/input_tiny.pt"));
  flow_.folder().write("in/mp_rank_00_model_states.pt", whole);
  flow_.folder().write("in/mp_rank_01_model_states.pt", whole);
  const Error error = flow_.failure(flow_.folder() / "in", "nemo2-torch_dist");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("rank 0 of 1 (mp_world_size), but 2 rank files were found"));
}

TEST_F(Zero1, FollowsLatestToTheFolderThatItNames) {
  flow_.folder().write("in/latest", "global_step10");
  flow_.folder().write("in/global_step10/mp_rank_00_model_states.pt",
                       file_text(FlowRun::golden("nemo2/input_tiny.pt")));
  const auto run =
      flow_.convert(flow_.folder() / "in", "nemo2-torch_dist",
                    {{"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}});
  EXPECT_EQ(run->source.graph.properties().at("mp_world_size"), "1");
  EXPECT_EQ(read_dcp(flow_.out() / "weights").tensors.size(), 73u);
}

TEST_F(Zero1, SaysWhereLatestPointsWhenItPointsNowhere) {
  flow_.folder().write("in/latest", "global_step10");
  flow_.folder().write("in/other/mp_rank_00_model_states.pt", "");
  const Error error = flow_.failure(flow_.folder() / "in", "nemo2-torch_dist");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("names global_step10, but there is no such folder"));
}

TEST_F(Zero1, RefusesATagThatLeavesTheCheckpoint) {
  flow_.folder().write("in/latest", "../../etc");
  flow_.folder().write("in/other/mp_rank_00_model_states.pt", "");
  EXPECT_THAT(flow_.failure(flow_.folder() / "in", "nemo2-torch_dist").what(),
              HasSubstr("is not a folder below"));
}

}  // namespace
}  // namespace ckptbridge
