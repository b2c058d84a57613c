// Checkpoints as one plain state dict.
#include "tests/unit/flows/state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class StateDict : public testing::Test {
 protected:
  boost::filesystem::path model() const { return flow_.out() / "model.pt"; }

  FlowRun flow_;
};

TEST_F(StateDict, HasTheTensorsOfTheCheckpointInItsOrder) {
  flow_.convert(FlowRun::golden("nemo2/input_tiny.pt"), "pt");
  const RankContent in = read_rank_file(FlowRun::golden("nemo2/input_tiny.pt"));
  std::vector<RankEntry> wanted;
  for (const RankEntry& entry : in.module) {
    if (entry.form != "object") wanted.push_back(entry);
  }
  const std::vector<RankEntry> found = read_state_dict(model());
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, wanted[i].name);
    EXPECT_EQ(found[i].form, wanted[i].form) << found[i].name;
    EXPECT_TRUE(found[i].bytes == wanted[i].bytes) << found[i].name;
    EXPECT_EQ(found[i].storage_size, found[i].bytes.size()) << found[i].name;
    EXPECT_FALSE(found[i].requires_grad) << found[i].name;
  }
}

TEST_F(StateDict, NamesTheObjectsThatItCannotHold) {
  const auto run = flow_.convert(FlowRun::golden("zero1/z1_mp1"), "pt");
  const auto dropped = dropped_objects(*run);
  EXPECT_THAT(dropped.at("state that is not a tensor"), Contains("iteration"));
  for (const RankEntry& entry : read_state_dict(model())) {
    EXPECT_THAT(dropped.at("extra state that is not a tensor"), Not(Contains(entry.name)));
  }
}

TEST_F(StateDict, JoinsRanksFirst) {
  const auto run = flow_.convert(FlowRun::golden("zero1/z1_mp8"), "pt");
  EXPECT_THAT(run_line(run->chain.text), HasSubstr("! mp-resharder mp-size=1 ! pt-writer"));
  const auto whole = read_rank_file(FlowRun::golden("zero1/reshard_8to1") / rank_name(0));
  std::size_t tensors = 0;
  for (const RankEntry& entry : read_state_dict(model())) {
    ASSERT_NE(whole.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(whole.find(entry.name)->form, entry.form);
    EXPECT_TRUE(whole.find(entry.name)->bytes == entry.bytes) << entry.name;
    ++tensors;
  }
  EXPECT_GT(tensors, 40u);
}

TEST_F(StateDict, KeepsTiedTensorsTied) {
  const auto in = flow_.folder().write(
      "in.pt", make_rank_file({{"a", {4}, "abcd", 1}, {"b", {2}, "xy"}, {"c", {4}, "abcd", 1}}));
  flow_.convert(in, "pt");
  const auto found = read_state_dict(model());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].storage, found[2].storage);
  EXPECT_NE(found[0].storage, found[1].storage);
  EXPECT_EQ(found[2].bytes, "abcd");
}

TEST_F(StateDict, GetsMegatronsNamesWhereAsked) {
  const auto run = flow_.convert(
      FlowRun::golden("nemo2/input_tiny.pt"), "pt",
      {{"names", "megatron"}, {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}});
  EXPECT_THAT(run_line(run->chain.text), HasSubstr("! evo2-mapper "));
  const DcpFolder theirs = read_dcp(FlowRun::golden("nemo2/out_torch_dist") / "weights");
  std::size_t extra_states = 0;
  for (const RankEntry& entry : read_state_dict(model())) {
    if (entry.name.ends_with("_extra_state")) {
      EXPECT_EQ(entry.form, "uint8[0]");
      ++extra_states;
      continue;
    }
    ASSERT_TRUE(theirs.tensors.contains(entry.name)) << entry.name;
    EXPECT_TRUE(theirs.tensors.at(entry.name).bytes == entry.bytes) << entry.name;
  }
  EXPECT_EQ(extra_states, 29u);
  EXPECT_THAT(dropped_objects(*run).at("extra state that is not a tensor"),
              testing::ElementsAre("module.output_layer._extra_state"));
}

}  // namespace
}  // namespace ckptbridge
