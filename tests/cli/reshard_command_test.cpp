// The preset that reshards, with the flags of the Python script.
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kRank0[] = "mp_rank_00_model_states.pt";

class ReshardCommand : public testing::Test {
 protected:
  Outcome reshard(const std::string& input, const std::string& ranks,
                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"convert_checkpoint_model_parallel_evo2",
                                          "--source_dir",
                                          golden("zero1/" + input),
                                          "--output_dir",
                                          out_.string(),
                                          "--mp_size",
                                          ranks,
                                          "--no-sync"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }

  const TempFolder folder_;
  const boost::filesystem::path out_ = folder_ / "out";
};

TEST_F(ReshardCommand, WritesAFileForEachRankAndNothingElse) {
  const auto outcome = reshard("z1_mp8", "2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(TempFolder::tree_of(out_),
            (std::set<std::string>{kRank0, "mp_rank_01_model_states.pt"}));
  // What the script throws away is named.
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("2 files"), HasSubstr("left out: "), HasSubstr("training state")));
}

TEST_F(ReshardCommand, RecordsTheOutputFolderAsItWasTyped) {
  const std::string typed = (folder_ / "typed/../typed").string() + "/";
  boost::filesystem::create_directory(folder_ / "typed");
  const auto outcome =
      command({"convert-checkpoint-model-parallel-evo2", "--source-dir", golden("zero1/z1_mp8"),
               "--output-dir=" + typed, "--mp-size=1", "--no-sync"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(TempFolder::text_of(folder_ / "typed" / kRank0),
              AllOf(HasSubstr("output_dir"), HasSubstr(typed)));
}

TEST_F(ReshardCommand, LeavesExtraStateOutWhenAsked) {
  EXPECT_EQ(reshard("z1_mp8", "1").code, 0);
  EXPECT_THAT(TempFolder::text_of(out_ / kRank0), HasSubstr("_extra_state"));
  EXPECT_EQ(reshard("z1_mp8", "1", {"--exclude-extra", "--overwrite"}).code, 0);
  EXPECT_THAT(TempFolder::text_of(out_ / kRank0), Not(HasSubstr("_extra_state")));
}

TEST_F(ReshardCommand, ListsReplicasThatDifferLastAndTakesRank0) {
  const auto outcome = reshard("z1_mp2_skew", "1");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string last = outcome.out.substr(outcome.out.rfind("\n", outcome.out.size() - 2) + 1);
  EXPECT_THAT(last, AllOf(HasSubstr("warning: differs: sequential."), HasSubstr(": rank 1, "),
                          HasSubstr(" against ")));
}

TEST_F(ReshardCommand, StopsAtReplicasThatDifferWhenAsked) {
  const auto outcome = reshard("z1_mp2_skew", "1", {"--on-mismatch", "error"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("mp-resharder: "), HasSubstr("replicated tensor"),
                                 EndsWith("; --on-mismatch=first takes rank 0 as the Python "
                                          "script does\n")));
  EXPECT_FALSE(boost::filesystem::exists(out_));
}

TEST_F(ReshardCommand, ExplainsReplicasThatDifferWithVerbose) {
  const auto outcome = reshard("z1_mp2_skew", "1", {"--on-mismatch", "error", "--verbose"});
  EXPECT_EQ(outcome.code, 3);
  // By libtorch, where this build has it.
  EXPECT_THAT(outcome.err, AnyOf(AllOf(HasSubstr("\n    kept  min "), HasSubstr("quartiles"),
                                       HasSubstr("largest difference"), HasSubstr("100 parts")),
                                 HasSubstr("install the package ckptbridge-torch")));
}

TEST_F(ReshardCommand, WithoutDifferencesNeedsNoLibtorch) {
  // Only a difference that is to be explained loads it.
  const auto outcome = reshard("z1_mp8", "1", {"--verbose"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("ckptbridge-torch")));
}

TEST_F(ReshardCommand, RefusesAFolderThatLacksARank) {
  const boost::filesystem::path source = folder_ / "in";
  boost::filesystem::create_directory(source);
  for (const char* rank : {"0", "1", "2", "4", "5", "6", "7"}) {
    const std::string name = std::string("mp_rank_0") + rank + "_model_states.pt";
    boost::filesystem::copy_file(golden("zero1/z1_mp8/global_step10/" + name), source / name);
  }
  const auto outcome = command({"convert_checkpoint_model_parallel_evo2", "--source_dir",
                                source.string(), "--output_dir", out_.string(), "--mp_size", "1"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("rank 3 is missing"));
  EXPECT_FALSE(boost::filesystem::exists(out_));
}

TEST_F(ReshardCommand, RefusesToLeaveHigherRanksOfAnEarlierRun) {
  EXPECT_EQ(reshard("z1_mp8", "4").code, 0);
  const auto before = TempFolder::tree_of(out_);
  const auto outcome = reshard("z1_mp8", "2", {"--overwrite"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("mp_rank_02_model_states.pt"));
  EXPECT_EQ(TempFolder::tree_of(out_), before);
}

TEST_F(ReshardCommand, NamesParametersThatItDoesNotKnow) {
  const auto outcome = reshard("z1_mp2_unknown", "1");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("not in the table of Evo2's parameters"));
}

TEST_F(ReshardCommand, TakesAPatternOfRankFiles) {
  const auto outcome = reshard("z1_mp8", "1", {"--glob-pattern", "mp_rank_0[0-3]*"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("4 rank files"));
}

TEST_F(ReshardCommand, RefusesANumberOfRanksThatIsNone) {
  EXPECT_EQ(reshard("z1_mp8", "0").code, 2);
  EXPECT_EQ(reshard("z1_mp8", "many").code, 2);
  const auto outcome = command({"convert_checkpoint_model_parallel_evo2", "--source_dir",
                                golden("zero1/z1_mp8"), "--output_dir", out_.string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("mp-size"));
}

TEST_F(ReshardCommand, PlannedWritesNothing) {
  const auto outcome =
      command({"plan", "convert_checkpoint_model_parallel_evo2", "--source_dir",
               golden("zero1/z1_mp8"), "--output_dir", out_.string(), "--mp_size", "4", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\"plugin\": \"mp-resharder\""),
                                 HasSubstr("mp_rank_03_model_states.pt")));
  EXPECT_FALSE(boost::filesystem::exists(out_));
}

}  // namespace
}  // namespace ckptbridge
