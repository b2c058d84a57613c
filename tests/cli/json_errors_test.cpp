// Failures as programs read them.
#include "core/text/json.h"
#include "tests/cli/command.h"

namespace ckptbridge {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kInput = golden("nemo2/input_tiny.pt");

// The last line of standard error.
Json failure(const Outcome& outcome) {
  EXPECT_THAT(outcome.err, EndsWith("\n"));
  const auto text = outcome.err.substr(0, outcome.err.size() - 1);
  const auto begin = text.rfind('\n') + 1;
  Json result = Json::parse(text.substr(begin));
  EXPECT_TRUE(result.is_object()) << outcome.err;
  EXPECT_EQ(result.size(), 5u) << outcome.err;
  return result;
}

class JsonErrors : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void copy(const std::string& name, const std::string& to) const {
    boost::filesystem::copy(golden(name), folder_ / to, boost::filesystem::copy_options::recursive);
  }

  const TempFolder folder_;
};

TEST_F(JsonErrors, NameTheFileThatIsMissing) {
  copy("zero3/ds_z3_w2_tied", "in");
  const std::string missing = "in/global_step2/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt";
  ASSERT_TRUE(boost::filesystem::remove(folder_ / missing));
  const auto outcome = command({"convert", path("in"), path("out"), "--to", "zero1", "--json"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.out, "");
  const Json error = failure(outcome);
  EXPECT_EQ(error["code"], "not_found");
  EXPECT_EQ(error["file"], path(missing));
  EXPECT_EQ(error["tensor"], nullptr);
  EXPECT_EQ(error["hint"], nullptr);
  EXPECT_THAT(error["message"].get<std::string>(), StartsWith("zero3-reader: "));
  EXPECT_FALSE(boost::filesystem::exists(folder_ / "out"));
}

TEST_F(JsonErrors, NameTheTensorThatDoesNotFit) {
  const Json error = failure(command({"convert", golden("zero1/z1_mp8"), path("out"), "--to",
                                      "zero1", "--mp-size", "3", "--json"}));
  EXPECT_EQ(error["code"], "unsupported");
  EXPECT_THAT(error["tensor"].get<std::string>(), StartsWith("sequential."));
  EXPECT_THAT(error["message"].get<std::string>(),
              StartsWith("mp-resharder: " + error["tensor"].get<std::string>() + ": "));
}

TEST_F(JsonErrors, NameTheFileThatIsDamaged) {
  const auto whole = TempFolder::text_of(kInput);
  folder_.write("cut.pt", whole.substr(0, whole.size() / 2));
  const Json error =
      failure(command({"convert", path("cut.pt"), path("out"), "--to", "pt", "--json"}));
  EXPECT_EQ(error["code"], "corrupt");
  EXPECT_EQ(error["file"], "cut.pt");
}

TEST_F(JsonErrors, SayWhatToDo) {
  folder_.write("out/precious", "");
  const Json exists = failure(command({"convert", kInput, path("out"), "--to", "pt", "--json"}));
  EXPECT_EQ(exists["code"], "exists");
  EXPECT_EQ(exists["file"], path("out"));
  EXPECT_EQ(exists["hint"],
            "choose another place, or pass --overwrite to replace an earlier output");
  EXPECT_THAT(exists["message"].get<std::string>(),
              EndsWith("; " + exists["hint"].get<std::string>()));
}

TEST_F(JsonErrors, TellWrongUsageToo) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"convert", kInput, "--jsno", "--json"},
           {"convrt", kInput, "--json"},
           {"--json", "convert"},
           {"--json"},
           {"plugins", "shw", "--json"},
           {"convert", kInput, path("out"), "--to", "nemo2-torch_dits", "--json"},
           {"run", "zero1-raeder", "path=x", "!", "pt-writer", "path=y", "--json"},
           {"inspect", kInput, "--from", "zreo1", "--json=true"}}) {
    const auto outcome = command(arguments);
    EXPECT_TRUE(outcome.code == 2 || outcome.code == 3) << testing::PrintToString(arguments);
    EXPECT_EQ(outcome.out, "");
    const Json error = failure(outcome);
    EXPECT_EQ(error["code"] == "invalid_argument", outcome.code == 2) << outcome.err;
  }
  const Json typo = failure(command({"convrt", "--json"}));
  EXPECT_EQ(typo["hint"], "did you mean \"convert\"?");
  EXPECT_THAT(command({"convrt", "--json=false"}).err, StartsWith("ckptbridge: unknown verb"));
  EXPECT_THAT(command({"convrt", "--", "--json"}).err, StartsWith("ckptbridge: unknown verb"));
}

TEST_F(JsonErrors, StandBehindTheResultOfInspect) {
  copy("zero3/ds_z3_w2_tied", "in");
  const std::string missing = "in/global_step2/zero_pp_rank_1_mp_rank_00_model_states.pt";
  ASSERT_TRUE(boost::filesystem::remove(folder_ / missing));
  const auto outcome = command({"inspect", path("in"), "--json"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(Json::parse(outcome.out)["complete"], false);
  EXPECT_EQ(failure(outcome)["file"], path(missing));
}

// More threads than there is address space for: those that start do the work.
TEST_F(JsonErrors, AreNoneWhereSomeThreadsCannotBeStarted) {
  if (!std::string_view(CKPTBRIDGE_SANITIZE).empty()) GTEST_SKIP() << "which needs address space";
  const auto outcome =
      command({"convert", kInput, path("out"), "--to", "pt", "--memory", "64GiB", "--threads",
               "1000", "--json"},
              // Stacks of 200 MB, so that what is left holds what the threads need.
              "export MALLOC_ARENA_MAX=1; ulimit -s 200000; ulimit -v 1100000;");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

// A folder that cannot be listed: root without its capabilities is bound by permissions, too.
TEST_F(JsonErrors, SayThatAFolderCannotBeRead) {
  const std::string bound =
      geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search" : "";
  copy("zero1/z1_mp1", "in");
  boost::filesystem::permissions(folder_ / "in", boost::filesystem::no_perms);
  const Json error = failure(command({"inspect", path("in"), "--json"}, bound));
  boost::filesystem::permissions(folder_ / "in", boost::filesystem::owner_all);
  EXPECT_EQ(error["code"], "io");
  EXPECT_EQ(error["file"], path("in"));
}

}  // namespace
}  // namespace ckptbridge
