// Files in pieces, however they are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::HasSubstr;

constexpr std::size_t kPieces = 12;

class Pieces : public testing::Test {
 protected:
  // Twelve pieces of one file, none of which begins where a record does.
  void write_pieces(const std::string& prefix, int width = 1, int first = 0) const {
    const std::string whole = file_text(FlowRun::golden("nemo2/input_tiny.pt"));
    const std::size_t size = whole.size() / kPieces + 1;
    for (std::size_t i = 0; i < kPieces; ++i) {
      std::string number = std::to_string(i + static_cast<std::size_t>(first));
      while (number.size() < static_cast<std::size_t>(width)) number.insert(0, "0");
      flow_.folder().write(prefix + number, whole.substr(i * size, size));
    }
  }
  fs::path at(const std::string& name) const { return flow_.folder() / name; }
  std::size_t tensors(const std::string& name) const {
    return flow_.read(at(name))->source.graph.tensors().size();
  }
  std::string error(const std::string& name) const {
    return error_of([&] { flow_.read(at(name)); });
  }

  FlowRun flow_;
};

TEST_F(Pieces, ConvertAsTheWholeFileDoes) {
  write_pieces("in/tiny.pt.part");
  const auto run =
      flow_.convert(at("in/tiny.pt"), "nemo2-torch_dist",
                    {{"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}});
  EXPECT_EQ(run->source.arena->sources.count(), 1u);
  EXPECT_EQ(run->source.arena->sources.pieces(1).size(), kPieces);
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  const DcpFolder theirs = read_dcp(FlowRun::golden("nemo2/out_torch_dist/weights"));
  EXPECT_TRUE(ours.tensors == theirs.tensors);
}

TEST_F(Pieces, AreFoundByTheirStemByAnyOfThemAndByTheirFolder) {
  const std::size_t expected =
      flow_.read(FlowRun::golden("nemo2/input_tiny.pt"))->source.graph.tensors().size();
  write_pieces("in/tiny.pt.part");
  flow_.folder().write("in/README.md", "");
  for (const char* name : {"in/tiny.pt", "in/tiny.pt.part0", "in/tiny.pt.part10", "in"}) {
    EXPECT_EQ(tensors(name), expected) << name;
  }
}

TEST_F(Pieces, HaveNumbersThatArePaddedOrStartAtOne) {
  write_pieces("padded/tiny.pt.part", 2);
  write_pieces("dashes/tiny.pt-part-", 4);
  write_pieces("one/tiny.pt.part", 1, 1);
  for (const char* name : {"padded/tiny.pt", "dashes/tiny.pt", "dashes", "one/tiny.pt"}) {
    EXPECT_GT(tensors(name), 0u) << name;
  }
}

TEST_F(Pieces, MayBeLinks) {
  write_pieces("blobs/x.pt.part");
  fs::create_directories(at("snapshot"));
  for (std::size_t i = 0; i < kPieces; ++i) {
    // Names in a cache say nothing about their order.
    const std::string blob = "blobs/" + std::to_string((i * 7) % kPieces) + "abc";
    fs::rename(at("blobs/x.pt.part" + std::to_string(i)), at(blob));
    fs::create_symlink(fs::path("..") / blob, at("snapshot/tiny.pt.part" + std::to_string(i)));
  }
  EXPECT_GT(tensors("snapshot/tiny.pt"), 0u);
  EXPECT_GT(tensors("snapshot"), 0u);
}

TEST_F(Pieces, OfRankFilesAreReadToo) {
  write_pieces("in/global_step1/mp_rank_00_model_states.pt.part", 2);
  flow_.folder().write("in/latest", "global_step1");
  EXPECT_GT(tensors("in"), 0u);
  EXPECT_GT(tensors("in/global_step1/mp_rank_00_model_states.pt"), 0u);
  flow_.folder().write("in/global_step1/mp_rank_00_model_states.pt", "x");
  EXPECT_THAT(error("in"), HasSubstr("is there both whole and in pieces"));
}

TEST_F(Pieces, SayWhichOneIsMissing) {
  write_pieces("in/tiny.pt.part");
  for (const std::string number : {"0", "4"}) {
    fs::rename(at("in/tiny.pt.part" + number), at("kept"));
    const std::string expected = "piece " + number + " is missing: no tiny.pt.part" + number;
    for (const char* name : {"in/tiny.pt", "in/tiny.pt.part9", "in"}) {
      EXPECT_THAT(error(name), HasSubstr(expected)) << name;
    }
    fs::rename(at("kept"), at("in/tiny.pt.part" + number));
  }
  fs::remove(at("in/tiny.pt.part11"));
  EXPECT_THAT(error("in/tiny.pt"),
              HasSubstr("probably the last piece is missing: 11 pieces were found, up to "
                        "tiny.pt.part10"));
}

TEST_F(Pieces, OfALegacyFileAreSaidToLackTheLastToo) {
  const std::string whole = file_text(FlowRun::golden("zero1/legacy/mp_rank_00_model_states.pt"));
  flow_.folder().write("in/x.pt.part0", whole.substr(0, 30'000));
  flow_.folder().write("in/x.pt.part1", whole.substr(30'000, 10'000));
  EXPECT_THAT(error("in/x.pt"), HasSubstr("2 pieces were found, up to x.pt.part1"));
  flow_.folder().write("in/x.pt.part2", whole.substr(40'000));
  EXPECT_GT(tensors("in/x.pt"), 0u);
}

TEST_F(Pieces, AreNotGuessed) {
  write_pieces("in/tiny.pt.part");
  flow_.folder().write("in/tiny.pt.part00", "");
  EXPECT_THAT(error("in/tiny.pt"), HasSubstr("tiny.pt.part0 and tiny.pt.part00 are both piece 0"));
  fs::remove(at("in/tiny.pt.part00"));
  flow_.folder().write("in/other.pt.part0", "");
  EXPECT_THAT(error("in"), HasSubstr("other.pt and tiny.pt are there in pieces"));
  EXPECT_GT(tensors("in/tiny.pt"), 0u);
  fs::remove(at("in/other.pt.part0"));
  // The whole file is what its name says; pieces are asked for by theirs.
  fs::copy_file(FlowRun::golden("zero1/zip/mp_rank_00_model_states.pt"), at("in/tiny.pt"));
  EXPECT_THAT(error("in"), HasSubstr("tiny.pt is there both whole and in pieces"));
  EXPECT_EQ(tensors("in/tiny.pt"), 21u);
  EXPECT_GT(tensors("in/tiny.pt.part3"), 21u);
  EXPECT_THAT(error("in/absent.pt"), HasSubstr("no such file"));
}

}  // namespace
}  // namespace ckptbridge
