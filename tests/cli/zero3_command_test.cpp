// The preset convert_zero3_to_zero1.
#include <map>
#include <thread>

#include "tests/cli/command.h"
#include "tests/unit/flows/zero3_files.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::map<std::string, std::string> contents(const boost::filesystem::path& folder) {
  std::map<std::string, std::string> result;
  for (const auto& name : TempFolder::tree_of(folder)) {
    result[name] = name.ends_with("/") ? "" : TempFolder::text_of(folder / name);
  }
  return result;
}

class Zero3Preset : public testing::Test {
 protected:
  // A checkpoint of so many model-parallel ranks, on 3 data-parallel ones.
  std::string checkpoint(int mp_world) const {
    Zero3Files files;
    files.dp_world = 3;
    files.mp_world = mp_world;
    files.groups = {{{"sequential.0.word_embeddings.weight", {16, 7}},
                     {"sequential.2.mlp.w1.weight", {11, 7}}}};
    files.element = [](const std::string& name, int mp_rank, std::int64_t index) {
      return static_cast<float>(name.size() * 1000) + static_cast<float>(1000 * mp_rank + index);
    };
    files.write(folder_ / "in/step9");
    folder_.write("in/latest", "step9");
    return path("in");
  }

  Outcome convert(const std::string& input, const std::vector<std::string>& more,
                  const std::string& output = "out") const {
    std::vector<std::string> arguments = {"convert_zero3_to_zero1", input, path(output),
                                          "--no-sync"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const TempFolder folder_;
};

TEST_F(Zero3Preset, TakesTheScriptsFlagsInBothSpellings) {
  const std::string input = golden("zero3/ds_z3_w2_frozen");
  EXPECT_EQ(
      convert(input, {"--mp_size", "1", "--exclude_frozen_parameters", "--num_workers", "2"}, "a")
          .code,
      0);
  EXPECT_EQ(command({"convert-zero3-to-zero1", input, path("b"), "--mp-size", "1",
                     "--exclude-frozen-parameters", "--rank-start", "0", "--rank-end", "0"})
                .code,
            0);
  EXPECT_EQ(contents(folder_ / "a"), contents(folder_ / "b"));
  EXPECT_EQ(contents(folder_ / "a").size(), 1u);
}

TEST_F(Zero3Preset, TheTagIsAFolderOfInputAndOutput) {
  const std::string input = checkpoint(1);
  EXPECT_EQ(convert(input, {"--mp_size", "1"}).code, 0);
  EXPECT_EQ(convert(input, {"--mp_size", "1", "-t", "step9"}, "tagged").code, 0);
  EXPECT_EQ(contents(folder_ / "out"), contents(folder_ / "tagged/step9"));
}

TEST_F(Zero3Preset, SaysHowManyRanksThereAre) {
  const auto before = folder_.tree();
  const auto outcome = convert(golden("zero3/ds_z3_w4_mp2"), {"--mp_size", "4"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the checkpoint has 2 model-parallel ranks, not 4"),
                                 HasSubstr("--to zero1 --mp-size 4")));
  EXPECT_EQ(folder_.tree(), before);
}

TEST_F(Zero3Preset, EightJobsAtOnceGiveTheBytesOfOneRun) {
  const std::string input = checkpoint(8);
  EXPECT_EQ(convert(input, {"--mp_size", "8"}).code, 0);
  std::vector<std::thread> jobs;
  std::vector<Outcome> outcomes(8);
  for (int rank = 0; rank < 8; ++rank) {
    jobs.emplace_back([&, rank] {
      const std::string number = std::to_string(rank);
      outcomes[static_cast<std::size_t>(rank)] =
          convert(input, {"--mp_size", "8", "--rank_start", number, "--rank_end", number}, "jobs");
    });
  }
  for (std::thread& job : jobs) job.join();
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(contents(folder_ / "jobs"), contents(folder_ / "out"));
  EXPECT_EQ(contents(folder_ / "jobs").size(), 8u);
}

TEST_F(Zero3Preset, SkipsRanksThatAreComplete) {
  const std::string input = checkpoint(2);
  EXPECT_EQ(convert(input, {"--mp_size", "2", "--rank_start", "1", "--rank_end", "1"}).code, 0);
  const auto rest = convert(input, {"--mp_size", "2"});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.out,
              HasSubstr("mp_rank_01_model_states.pt is there already, and complete: skipped"));
  EXPECT_THAT(rest.out, HasSubstr("1 file, "));
  const auto made = contents(folder_ / "out");
  EXPECT_EQ(made.size(), 2u);
  const auto again = convert(input, {"--mp_size", "2"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(contents(folder_ / "out"), made);
}

TEST_F(Zero3Preset, RefusesRanksThatAreIncomplete) {
  const std::string input = checkpoint(2);
  EXPECT_EQ(convert(input, {"--mp_size", "2"}).code, 0);
  auto made = contents(folder_ / "out");
  const std::string rank = "mp_rank_00_model_states.pt";
  for (const std::string& broken :
       {made[rank].substr(0, made[rank].size() - 1), std::string(made[rank].size(), '\0')}) {
    folder_.write("out/" + rank, broken);
    const auto outcome = convert(input, {"--mp_size", "2"});
    EXPECT_EQ(outcome.code, 5);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr(rank), HasSubstr("is not complete"), HasSubstr("--overwrite")));
    EXPECT_TRUE(TempFolder::text_of(folder_ / ("out/" + rank)) == broken);
  }
  folder_.write("out/precious", "of others");
  EXPECT_EQ(convert(input, {"--mp_size", "2", "--overwrite"}).code, 0);
  made["precious"] = "of others";
  EXPECT_EQ(contents(folder_ / "out"), made);
}

TEST_F(Zero3Preset, ExplainsThePiecesOfParameters) {
  const std::string input = checkpoint(1);
  const auto outcome =
      command({"plan", "convert_zero3_to_zero1", input, path("out"), "--mp_size", "1", "-d"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("sequential.2.mlp.w1.weight (model-parallel rank 0): [11, 7], "
                                     "77 elements: 3 pieces of 26, 1 of them padding"));
  EXPECT_FALSE(boost::filesystem::exists(folder_ / "out"));
}

TEST_F(Zero3Preset, RefusesZero1WithAHint) {
  const auto outcome = convert(golden("zero1/z1_mp8"), {"--mp_size", "8"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("which --from zero1 reads"));
}

}  // namespace
}  // namespace ckptbridge
