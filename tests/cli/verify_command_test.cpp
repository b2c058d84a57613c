#include <algorithm>

#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const std::string kMp8 = golden("zero1/z1_mp8");
const std::string kMp1 = golden("zero1/z1_mp1");

class Verify : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  Outcome reshard(const std::string& mp_size, const std::string& output,
                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"convert", kMp8,        path(output), "--to",
                                          "zero1",   "--mp-size", mp_size,      "--no-sync"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }

  // Changes the first occurrence of a tensor's bytes: those behind the pickle of a rank file.
  void change_a_byte(const std::string& output) const {
    const auto file = folder_ / (output + "/mp_rank_00_model_states.pt");
    std::string bytes = TempFolder::text_of(file);
    bytes[bytes.size() / 2] ^= 1;
    folder_.write(output + "/mp_rank_00_model_states.pt", bytes);
  }

  const TempFolder folder_;
};

TEST_F(Verify, FindsAConversionEqualToItsSource) {
  const auto outcome = reshard("2", "out", {"--verify"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("wrote "), HasSubstr("equal: ")));
  const auto later = command({"verify", path("out"), "--against", kMp8, "--mp-size", "2"});
  EXPECT_EQ(later.code, 0) << later.out << later.err;
  EXPECT_THAT(later.out, HasSubstr("equal: "));
}

TEST_F(Verify, FindsNeMoCheckpointsEqualToTheirSource) {
  for (const std::string format : {"nemo2-torch_dist", "nemo2-zarr"}) {
    const auto outcome =
        command({"convert", golden("nemo2/input_tiny.pt"), path(format), "--to", format,
                 "--profile", golden("nemo2/tiny_profile.json"), "--no-sync", "--verify"});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("equal: 73 tensors"));
    EXPECT_THAT(outcome.out, HasSubstr("1 object not compared"));
  }
}

TEST_F(Verify, FindsAPlainStateDictEqualToItsSource) {
  const auto outcome =
      command({"convert", kMp8, path("out"), "--to", "pt", "--no-sync", "--verify"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("equal: "));
  std::string bytes = TempFolder::text_of(folder_ / "out/model.pt");
  bytes[bytes.size() / 2] ^= 1;
  folder_.write("out/model.pt", bytes);
  const auto later = command({"verify", path("out"), "--against", kMp8, "--to", "pt"});
  EXPECT_EQ(later.code, 4) << later.out << later.err;
}

TEST_F(Verify, ListsWhatDiffersAndEndsWith4) {
  ASSERT_EQ(reshard("2", "out", {"--manifest", path("digests.json")}).code, 0);
  change_a_byte("out");
  const auto against = command({"verify", path("out"), "--against", kMp8, "--mp_size", "2"});
  EXPECT_EQ(against.code, 4) << against.out << against.err;
  EXPECT_THAT(against.out, AllOf(HasSubstr("different: "), HasSubstr(", rank 0 of 2: 1 of "),
                                 HasSubstr("2 differences found; compared: ")));
  const auto digests = command({"verify", path("out"), "--manifest", path("digests.json")});
  EXPECT_EQ(digests.code, 4) << digests.out << digests.err;
  EXPECT_THAT(digests.out, HasSubstr("different: "));
  const auto report = Json::parse(
      command({"verify", path("out"), "--against", kMp8, "--mp-size", "2", "--json"}).out);
  EXPECT_EQ(report["equal"], false);
  ASSERT_EQ(report["differences"].size(), 2u);
  EXPECT_EQ(report["differences"][0]["kind"], "elements");
  EXPECT_EQ(report["differences"][1]["kind"], "checksum");
  EXPECT_EQ(report["differences"][0]["elements"], 1);
}

// What a checksum of a source tells, no difference between tensors does.
TEST_F(Verify, NamesTheRecordWhoseChecksumIsWrong) {
  ASSERT_EQ(reshard("2", "out").code, 0);
  change_a_byte("out");
  const auto against = command({"verify", path("out"), "--against", kMp8, "--mp_size", "2"});
  EXPECT_THAT(against.out, AllOf(HasSubstr("mp_rank_00_model_states.pt: record data/"),
                                 HasSubstr("was changed after it was written: the CRC-32 of")));
  const auto from = command(
      {"convert", path("out"), path("again"), "--to", "zero1", "--mp-size", "1", "--no-sync"});
  EXPECT_EQ(from.code, 3);
  EXPECT_THAT(from.err, AllOf(HasSubstr("mp_rank_00_model_states.pt: record data/"),
                              HasSubstr("--ignore-checksums")));
  EXPECT_FALSE(boost::filesystem::exists(folder_ / "again"));
  EXPECT_EQ(command({"convert", path("out"), path("again"), "--to", "zero1", "--mp-size", "1",
                     "--no-sync", "--ignore-checksums"})
                .code,
            0);
}

TEST_F(Verify, KnowsATensorByItsDigestForAnyNumberOfRanks) {
  ASSERT_EQ(reshard("2", "two", {"--manifest", path("two.json")}).code, 0);
  ASSERT_EQ(reshard("4", "four", {"--manifest", path("four.json")}).code, 0);
  EXPECT_EQ(TempFolder::text_of(folder_ / "two.json"), TempFolder::text_of(folder_ / "four.json"));
  for (const std::string& checkpoint : {kMp8, kMp1, path("two"), path("four")}) {
    const auto outcome = command({"verify", checkpoint, "--manifest", path("four.json")});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  }
}

TEST_F(Verify, WritesDigestsInTheOrderOfNames) {
  ASSERT_EQ(reshard("1", "out", {"--manifest", path("digests.json")}).code, 0);
  const auto list = Json::parse(TempFolder::text_of(folder_ / "digests.json"));
  EXPECT_EQ(list["ckptbridge_digests"], 1);
  EXPECT_EQ(list["digest"], "xxh3-128");
  EXPECT_EQ(list["names"], "savanna");
  std::vector<std::string> names;
  for (const auto& tensor : list["tensors"]) {
    names.push_back(tensor["name"].text());
    EXPECT_EQ(tensor["digest"].get<std::string>().size(), 32u);
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, Contains("sequential.2.mlp.w1.weight"));
}

TEST_F(Verify, RefusesAListOfDigestsThatIsNone) {
  folder_.write("other.json", R"({"tensors": []})");
  const auto outcome = command({"verify", kMp1, "--manifest", path("other.json")});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("is not a list of digests"));
  EXPECT_EQ(command({"verify", kMp1, "--manifest", path("nothing.json")}).code, 3);
  EXPECT_EQ(command({"verify", kMp1}).code, 2);
}

TEST_F(Verify, NeverWritesAListOverWhatIsNotItsOwn) {
  folder_.write("precious.json", "{}");
  const auto there = reshard("2", "out", {"--manifest", path("precious.json"), "--overwrite"});
  EXPECT_EQ(there.code, 5);
  EXPECT_THAT(there.err, HasSubstr("precious.json exists already, and is not of this program"));
  const auto inside = reshard("2", "out", {"--report", path("out/report.json")});
  EXPECT_EQ(inside.code, 2);
  EXPECT_THAT(inside.err, HasSubstr("holds a checkpoint and nothing else"));
  EXPECT_FALSE(boost::filesystem::exists(folder_ / "out"));
  EXPECT_EQ(TempFolder::text_of(folder_ / "precious.json"), "{}");
}

TEST_F(Verify, ReportsWhereEachTensorComesFrom) {
  const auto outcome = reshard("2", "out", {"--report", path("report.json"), "--verify"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto report = Json::parse(TempFolder::text_of(folder_ / "report.json"));
  EXPECT_EQ(report["ckptbridge_report"], 1);
  EXPECT_EQ(report["plugin_abi"], "1.0");
  EXPECT_EQ(report["plugins"].size(), 3u);
  EXPECT_EQ(report["plugins"][1]["id"], "mp-resharder");
  EXPECT_EQ(report["plugins"][1]["library_digest"].get<std::string>().size(), 32u);
  EXPECT_EQ(report["inputs"].size(), 8u);
  EXPECT_EQ(report["verified"]["equal"], true);
  EXPECT_TRUE(report.contains("left_out"));
  const auto& tensors = report["tensors"];
  ASSERT_FALSE(tensors.empty());
  const auto split = std::find_if(tensors.begin(), tensors.end(), [](const Json& tensor) {
    return tensor["name"] == "sequential.2.mlp.w1.weight" && tensor["mp_rank"] == 1;
  });
  ASSERT_NE(split, tensors.end());
  EXPECT_EQ((*split)["sources"].size(), 4u);
  EXPECT_THAT((*split)["sources"][0]["file"].get<std::string>(), HasSubstr("mp_rank_04"));
  EXPECT_EQ((*split)["operations"], Json({"concat along 0"}));
  EXPECT_EQ((*split)["digest"].get<std::string>().size(), 32u);
}

TEST(Diff, FindsOneModelOnDifferentRanksEqual) {
  const auto outcome = command({"diff", kMp8, kMp1});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("equal: "));
}

TEST(Diff, ListsWhatIsMissingAndOfAnotherForm) {
  const auto outcome = command({"diff", golden("nemo2/input_tiny.pt"), golden("zero1/z1_mp1")});
  EXPECT_EQ(outcome.code, 4) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("different: "), HasSubstr("found; compared: ")));
  const auto report = Json::parse(
      command({"diff", golden("nemo2/input_tiny.pt"), golden("zero1/z1_mp1"), "--json"}).out);
  EXPECT_EQ(report["equal"], false);
}

TEST(Diff, TellsOfReplicasThatDifferInsideACheckpoint) {
  const auto outcome =
      command({"diff", golden("zero1/z1_mp2_skew"), golden("zero1/reshard_skew2to1")});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("sequential.7.norm.weight: rank 1: 1 of 64 elements differ"));
}

// The plugin that computes is installed with libtorch only; its part is in tests/torch.
TEST(Diff, TakesATolerance) {
  for (const std::string wrong : {"x", "-1", "1,", "1,2,3", "nan", "1e-3 "}) {
    const auto outcome = command({"diff", kMp8, kMp1, "--tolerance", wrong});
    EXPECT_EQ(outcome.code, 2) << wrong;
    EXPECT_THAT(outcome.err, HasSubstr("--tolerance"));
  }
  const auto outcome = command({"diff", kMp8, kMp1, "--tolerance", "1e-3,1e-6"});
  if (outcome.code == 0) {
    EXPECT_THAT(outcome.out, HasSubstr("equal: "));
  } else {
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("ckptbridge-torch"));
  }
}

TEST(Diff, RefusesNamesThatNothingMaps) {
  const auto outcome = command({"diff", golden("zero1/z1_mp1"), golden("cli/other_model.pt")});
  EXPECT_EQ(outcome.code, 4) << outcome.out
                             << outcome.err;  // unknown names are compared as they are
}

}  // namespace
}  // namespace ckptbridge
