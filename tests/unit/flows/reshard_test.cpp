// ZeRO-1 to another number of model-parallel ranks, against what the Python script made of the
// same files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = boost::filesystem;

constexpr char kSplit[] = "sequential.2.mlp.w1.weight";
constexpr char kReplicated[] = "sequential.2.input_layernorm.weight";

fs::path golden(const std::string& name) { return FlowRun::golden("zero1/" + name); }

// Byte for byte, as far as files of different programs can be.
void expect_same_content(const fs::path& ours, const fs::path& theirs) {
  std::set<std::string> files = TempFolder::tree_of(ours);
  EXPECT_EQ(files, TempFolder::tree_of(theirs));
  for (const std::string& file : files) {
    const RankContent mine = read_rank_file(ours / file);
    const RankContent other = read_rank_file(theirs / file);
    EXPECT_THAT(mine.keys, ElementsAre("module", "param_shapes", "dp_world_size"));
    EXPECT_EQ(mine.param_shapes, other.param_shapes);
    EXPECT_EQ(mine.others.at("dp_world_size"), other.others.at("dp_world_size"));
    ASSERT_EQ(mine.module.size(), other.module.size()) << file;
    for (std::size_t i = 0; i < mine.module.size(); ++i) {
      const RankEntry& a = mine.module[i];
      const RankEntry& b = other.module[i];
      EXPECT_EQ(a.name, b.name) << file;
      EXPECT_EQ(a.form, b.form) << file << ": " << a.name;
      EXPECT_TRUE(a.bytes == b.bytes) << file << ": " << a.name;
      EXPECT_EQ(a.requires_grad, b.requires_grad) << file << ": " << a.name;
      if (a.form != "object") {
        EXPECT_EQ(a.storage_size, a.bytes.size()) << a.name;
      }
    }
  }
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!fs::is_regular_file(entry.path())) continue;
    files[entry.path().lexically_relative(folder).string()] = file_text(entry.path());
  }
  return files;
}

class Reshard : public testing::Test {
 protected:
  // Writes one file for each rank and says where.
  fs::path write_ranks(const std::vector<std::string>& files) const {
    for (std::size_t rank = 0; rank < files.size(); ++rank) {
      flow_.folder().write("in/" + rank_name(static_cast<int>(rank)), files[rank]);
    }
    return flow_.folder() / "in";
  }

  FlowRun flow_;
};

struct Case {
  const char* input;
  const char* ranks;
  const char* expected;
  bool exclude_extra = false;
};
void PrintTo(const Case& what, std::ostream* out) { *out << what.expected; }

class ReshardAsTheScript : public testing::TestWithParam<Case> {};

TEST_P(ReshardAsTheScript, GivesTheSameTensorsAndStatesInTheSameOrder) {
  const FlowRun flow;
  std::vector<OptionText> options{{"mp-size", GetParam().ranks}, {"on-mismatch", "first"}};
  if (GetParam().exclude_extra) options.push_back({"exclude-extra", std::nullopt});
  flow.convert(golden(GetParam().input), "zero1", options);
  expect_same_content(flow.out(), golden(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(Golden, ReshardAsTheScript,
                         testing::Values(Case{"z1_mp8", "1", "reshard_8to1"},
                                         Case{"z1_mp8", "2", "reshard_8to2"},
                                         Case{"z1_mp8", "4", "reshard_8to4"},
                                         Case{"z1_mp8", "1", "reshard_8to1_excl", true},
                                         Case{"z1_mp1", "8", "reshard_1to8"},
                                         Case{"z1_mp4_none", "1", "reshard_4to1_none"},
                                         Case{"z1_mp2_skew", "1", "reshard_skew2to1"}),
                         [](const auto& test) { return std::string(test.param.expected); });

TEST_F(Reshard, InTwoStepsGivesTheBytesOfOneStep) {
  flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "2"}});
  const FlowRun first;
  first.convert(golden("z1_mp8"), "zero1", {{"mp-size", "4"}});
  const FlowRun second;
  second.convert(first.out(), "zero1", {{"mp-size", "2"}});
  EXPECT_EQ(files_of(second.out()), files_of(flow_.out()));
}

TEST_F(Reshard, ToNeMo2InOnePassGivesTheBytesOfTwoPasses) {
  const std::vector<OptionText> tiny{
      {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}};
  const FlowRun split;
  split.convert(FlowRun::golden("nemo2/input_tiny.pt"), "zero1", {{"mp-size", "4"}});
  const auto run = flow_.convert(split.out(), "nemo2-torch_dist", tiny);
  ASSERT_EQ(run->chain.text.steps.size(), 4u);
  EXPECT_EQ(run->chain.text.steps[1].plugin, "mp-resharder");
  EXPECT_EQ(run->chain.text.steps[2].plugin, "evo2-mapper");

  const FlowRun first;
  first.convert(split.out(), "zero1", {{"mp-size", "1"}});
  const FlowRun second;
  second.convert(first.out(), "nemo2-torch_dist", tiny);
  EXPECT_EQ(files_of(second.out()), files_of(flow_.out()));

  const FlowRun whole;
  whole.convert(FlowRun::golden("nemo2/input_tiny.pt"), "nemo2-torch_dist", tiny);
  EXPECT_EQ(files_of(whole.out()), files_of(flow_.out()));
}

TEST_F(Reshard, BuffersThatNeMo2MakesAgainMayDiffer) {
  const std::vector<OptionText> tiny{
      {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}};
  const FlowRun split;
  split.convert(FlowRun::golden("nemo2/input_tiny.pt"), "zero1", {{"mp-size", "2"}});
  flow_.convert(split.out(), "nemo2-torch_dist", tiny);

  const fs::path rank1 = split.out() / rank_name(1);
  std::string file = file_text(rank1);
  const std::string buffer = read_rank_file(rank1).find("sequential.4.mixer.mixer.filter.t")->bytes;
  const std::size_t at = file.find(buffer);
  ASSERT_NE(at, std::string::npos);
  file[at + 6] ^= 1;
  repair_checksums(file);
  std::ofstream(rank1.string(), std::ios::binary) << file;
  const FlowRun skewed;
  const auto run = skewed.convert(split.out(), "nemo2-torch_dist", tiny);
  EXPECT_THAT(run->outcome.warnings,
              ElementsAre(HasSubstr("left out of the output, 1 replicated tensor differs "
                                    "(sequential.4.mixer.mixer.filter.t: rank 1, 1 of 256")));
  EXPECT_EQ(files_of(skewed.out()), files_of(flow_.out()));
  // Where the output holds them, they count.
  const FlowRun strict;
  EXPECT_EQ(strict.failure(split.out(), "zero1", {{"mp-size", "1"}}).code(), CKB_CORRUPT);
}

TEST_F(Reshard, OrdersRanksByNumber) {
  std::vector<std::string> files;
  std::string whole;
  for (int rank = 0; rank < 128; ++rank) {
    const std::string bytes{static_cast<char>(rank), 'x'};
    files.push_back(make_rank_file({{kSplit, {1, 2}, bytes}}, {{"mp_world_size", 128}}));
    whole += bytes;
  }
  flow_.convert(write_ranks(files), "zero1", {{"mp-size", "1"}});
  const RankContent joined = read_rank_file(flow_.out() / rank_name(0));
  EXPECT_EQ(joined.find(kSplit)->bytes, whole);
  EXPECT_EQ(joined.find(kSplit)->form, "uint8[128, 2]");
}

TEST_F(Reshard, CutsAcrossTheOldShards) {
  // 3 ranks of 4 columns become 2 of 6.
  std::vector<std::string> files;
  for (const char* bytes : {"abcdmnop", "efghqrst", "ijkluvwx"}) {
    files.push_back(make_rank_file({{"sequential.2.mlp.w3.weight", {2, 4}, bytes}}));
  }
  flow_.convert(write_ranks(files), "zero1", {{"mp-size", "2"}});
  EXPECT_EQ(read_rank_file(flow_.out() / rank_name(0)).module[0].bytes, "abcdefmnopqr");
  EXPECT_EQ(read_rank_file(flow_.out() / rank_name(1)).module[0].bytes, "ghijklstuvwx");
}

TEST_F(Reshard, TakesElementsOfAnyTypeAsTheyAre) {
  // Bits that are a NaN in each type among them: nothing may be computed with them.
  const std::string rank0 = "\x01\xff\x02\xff\x03\xff\xff\x7f";
  const std::string rank1 = "\x04\xfe\x05\xfc\x06\x7f\xff\xff";
  for (const Dtype dtype : {kFloat16, kBFloat16, kFloat32, kFloat64, kInt64, kFloat8E5M2}) {
    const auto count = static_cast<std::int64_t>(rank0.size() / item_size(dtype));
    std::vector<std::string> files;
    for (const std::string& bytes : {rank0, rank1}) {
      files.push_back(
          make_rank_file({{.name = kSplit, .shape = {count, 1}, .bytes = bytes, .dtype = dtype}}));
    }
    const FlowRun flow;
    flow.convert(write_ranks(files), "zero1", {{"mp-size", "1"}});
    const RankContent joined = read_rank_file(flow.out() / rank_name(0));
    EXPECT_EQ(joined.module[0].bytes, rank0 + rank1) << dtype_name(dtype);
    EXPECT_THAT(joined.module[0].form, HasSubstr(dtype_name(dtype) + "["));
  }
}

TEST_F(Reshard, CutsTensorsFromStoragesThatAreLarger) {
  std::vector<std::string> files;
  for (const char* bytes : {"-ab----", "-cd"}) {
    files.push_back(
        make_rank_file({{.name = kSplit, .shape = {2, 1}, .bytes = bytes, .offset = 1}}));
  }
  const auto run = flow_.convert(write_ranks(files), "zero1", {{"mp-size", "1"}});
  const RankContent joined = read_rank_file(flow_.out() / rank_name(0));
  EXPECT_EQ(joined.module[0].bytes, "abcd");
  EXPECT_EQ(joined.module[0].storage_size, 4u);
  EXPECT_EQ(run->coverage.used, 4u);
}

TEST_F(Reshard, ReadsLegacyFilesAsItReadsZips) {
  flow_.convert(golden("zip"), "zero1", {{"mp-size", "1"}});
  const FlowRun legacy;
  legacy.convert(golden("legacy"), "zero1", {{"mp-size", "1"}});
  expect_same_content(legacy.out(), flow_.out());
}

TEST_F(Reshard, KeepsTiedTensorsTied) {
  std::vector<std::string> files;
  for (const char* bytes : {"ab", "cd"}) {
    files.push_back(make_rank_file({{"sequential.0.word_embeddings.weight", {2, 1}, bytes, 0},
                                    {kReplicated, {3}, "xyz", 1},
                                    {"sequential.8.word_embeddings.weight", {2, 1}, bytes, 0},
                                    {"sequential.9.norm.weight", {3}, "xyz", 1}}));
  }
  const fs::path in = write_ranks(files);
  for (const char* ranks : {"1", "4"}) {
    const FlowRun flow;
    flow.convert(in, "zero1", {{"mp-size", ranks}});
    const RankContent content = read_rank_file(flow.out() / rank_name(0));
    EXPECT_EQ(content.module[0].storage, content.module[2].storage) << ranks;
    EXPECT_EQ(content.module[1].storage, content.module[3].storage) << ranks;
    EXPECT_NE(content.module[0].storage, content.module[1].storage) << ranks;
  }
}

TEST_F(Reshard, KeepsTrainingStateWhenAsked) {
  flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "2"}, {"keep-state", std::nullopt}});
  const RankContent source = read_rank_file(golden("z1_mp8/global_step10") / rank_name(0));
  const RankContent kept = read_rank_file(flow_.out() / rank_name(1));
  for (const char* key : {"iteration", "args", "ds_config", "np_rng_state", "buffer_names"}) {
    EXPECT_EQ(kept.others.at(key), source.others.at(key)) << key;
  }
  // Two ranks, so that it can be read again.
  EXPECT_NE(kept.others.at("mp_world_size"), source.others.at("mp_world_size"));
  const FlowRun again;
  again.convert(flow_.out(), "zero1", {{"mp-size", "1"}});
  expect_same_content(again.out(), golden("reshard_8to1"));
}

TEST_F(Reshard, NamesWhatItLeavesOut) {
  const auto run = flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "1"}});
  std::set<std::string> dropped;
  for (const ObjectDrop& drop : run->source.arena->object_drops) dropped.insert(drop.name);
  for (const char* name : {"iteration", "args", "ds_config", "torch_rng_state", "mp_world_size"}) {
    EXPECT_TRUE(dropped.contains(name)) << name;
  }
}

TEST_F(Reshard, ListsAllReplicasThatDiffer) {
  const auto run =
      flow_.convert(golden("z1_mp2_skew"), "zero1", {{"mp-size", "1"}, {"on-mismatch", "first"}});
  const std::string first =
      "sequential.2.input_layernorm.weight: rank 1, 1 of 64 elements, first [0]: 0.96484375 "
      "against "
      "-0.0334472656";
  EXPECT_THAT(
      run->outcome.warnings,
      ElementsAre("differs: " + first, HasSubstr("sequential.7.norm.weight: rank 1, 1 of")));
  const FlowRun strict;
  const Error error = strict.failure(golden("z1_mp2_skew"), "zero1", {{"mp-size", "1"}});
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_EQ(error.what(), "mp-resharder: 2 replicated tensors differ (" + first +
                              "; 1 more with --verbose); --on-mismatch=first takes rank 0 as the "
                              "Python script does");
}

TEST_F(Reshard, RefusesAnUnevenSplit) {
  const Error error = flow_.failure(golden("z1_mp8"), "zero1", {{"mp-size", "5"}});
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("sequential.0.word_embeddings.weight: 64 rows cannot be "
                                      "split over 5 ranks (partition dim 0)"));
}

TEST_F(Reshard, RefusesANumberOfRanksThatIsNone) {
  for (const char* ranks : {"0", "-1", "100000"}) {
    const Error error = flow_.failure(golden("z1_mp8"), "zero1", {{"mp-size", ranks}});
    EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
    EXPECT_THAT(error.what(), HasSubstr("expected 1 to 4096"));
  }
}

TEST_F(Reshard, NamesAllUnknownParameters) {
  const Error one = flow_.failure(golden("z1_mp2_unknown"), "zero1", {{"mp-size", "1"}});
  EXPECT_EQ(one.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(one.what(), HasSubstr("1 tensor is not in the table"));

  const std::string file =
      make_rank_file({{"sequential.2.b", {1}, "b"}, {kReplicated, {1}, "n"}, {"other", {1}, "a"}});
  const Error two = flow_.failure(write_ranks({file, file}), "zero1", {{"mp-size", "1"}});
  EXPECT_THAT(two.what(), AllOf(HasSubstr("2 tensors are not"), HasSubstr("other, sequential.2.b"),
                                Not(HasSubstr(kReplicated))));
}

TEST_F(Reshard, NamesTensorsThatNotAllRanksHave) {
  const NewEntry split{kSplit, {1, 1}, "a"};
  const NewEntry norm{kReplicated, {1}, "n"};
  const Error missing =
      flow_.failure(write_ranks({make_rank_file({split, norm}), make_rank_file({norm})}), "zero1",
                    {{"mp-size", "1"}});
  EXPECT_EQ(missing.code(), CKB_CORRUPT);
  EXPECT_THAT(missing.what(), HasSubstr(std::string(kSplit) + " is missing on rank 1"));
  const Error more =
      flow_.failure(write_ranks({make_rank_file({norm}), make_rank_file({split, norm})}), "zero1",
                    {{"mp-size", "1"}});
  EXPECT_EQ(more.code(), CKB_CORRUPT);
  EXPECT_THAT(more.what(), HasSubstr(std::string(kSplit) + " is only on rank 1"));
}

TEST_F(Reshard, RefusesShardsOfDifferentShapes) {
  const Error error = flow_.failure(write_ranks({make_rank_file({{kSplit, {1, 2}, "ab"}}),
                                                 make_rank_file({{kSplit, {2, 1}, "ab"}})}),
                                    "zero1", {{"mp-size", "1"}});
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr(std::string(kSplit) + ": is [2, 1] of uint8 on rank 1, but "
                                                            "[1, 2] of uint8 on rank 0"));
}

TEST_F(Reshard, RefusesRanksOfDifferentSteps) {
  const NewEntry split{kSplit, {1, 1}, "a"};
  const Error error = flow_.failure(write_ranks({make_rank_file({split}, {{"iteration", 10}}),
                                                 make_rank_file({split}, {{"iteration", 20}})}),
                                    "zero1", {{"mp-size", "1"}});
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("iteration is 20 on rank 1, but 10 on rank 0"));
}

TEST_F(Reshard, RefusesAFolderThatLacksRanks) {
  for (const int lost : {3, 7}) {
    const FlowRun flow;
    for (int rank = 0; rank < 8; ++rank) {
      if (rank == lost) continue;
      flow.folder().write("in/" + rank_name(rank),
                          file_text(golden("z1_mp8/global_step10") / rank_name(rank)));
    }
    const Error error = flow.failure(flow.folder() / "in", "zero1", {{"mp-size", "1"}});
    EXPECT_EQ(error.code(), CKB_NOT_FOUND);
    EXPECT_THAT(error.what(), HasSubstr(lost == 3 ? "rank 3 is missing" : "rank 0 of 8"));
  }
}

TEST_F(Reshard, RefusesAPatternThatMatchesFewerRanks) {
  const Error half = flow_.failure(golden("z1_mp8"), "zero1",
                                   {{"mp-size", "1"}, {"glob-pattern", "mp_rank_0[0-3]*"}});
  EXPECT_EQ(half.code(), CKB_NOT_FOUND);
  EXPECT_THAT(half.what(), HasSubstr("rank 0 of 8 (mp_world_size), but 4 rank files"));
  const Error none =
      flow_.failure(golden("z1_mp8"), "zero1", {{"mp-size", "1"}, {"glob-pattern", "mp_9*"}});
  EXPECT_EQ(none.code(), CKB_NOT_FOUND);
  EXPECT_THAT(none.what(), HasSubstr("mp_9*"));
}

TEST_F(Reshard, NeverLeavesRanksOfAnEarlierOutput) {
  flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "4"}});
  Settings settings;
  settings.overwrite = true;
  try {
    flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "2"}}, settings);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), CKB_EXISTS);
    EXPECT_THAT(error.what(), HasSubstr(rank_name(2)));
  }
  flow_.convert(golden("z1_mp8"), "zero1", {{"mp-size", "4"}}, settings);
  expect_same_content(flow_.out(), golden("reshard_8to4"));
}

}  // namespace
}  // namespace ckptbridge
