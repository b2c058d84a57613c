// ZeRO-3 against what DeepSpeed itself gathers and what the Python script made of the same files.
#include <bit>
#include <cstring>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/rank_file.h"
#include "tests/unit/flows/zero3_files.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = boost::filesystem;
namespace tf = torch_file;

fs::path golden(const std::string& name) { return FlowRun::golden("zero3/" + name); }

const std::vector<OptionText> kScript{{"style", "zero3"}};

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const std::string& name : TempFolder::tree_of(folder)) {
    if (!name.ends_with("/")) files[name] = file_text(folder / name);
  }
  return files;
}

// The tensors of a dict that torch.save wrote: dtype, shape and bytes by name; None is left out.
std::map<std::string, std::string> tensors_of(const fs::path& path) {
  const std::string text = file_text(path);
  const tf::MemorySource source(std::as_bytes(std::span(text)), path.string());
  const tf::TorchFile pt = tf::read_torch_file(source);
  std::map<std::string, std::string> tensors;
  for (const tf::Item& item : tf::items_of(pt.values, pt.root)) {
    const auto tensor = tf::read_tensor(pt.values, item.value, path.string());
    if (!tensor) continue;
    EXPECT_TRUE(tensor->is_contiguous());
    const std::size_t size = item_size(tensor->dtype);
    tensors[std::string(pt.values.as_string(item.key).value())] =
        dtype_name(tensor->dtype) + sizes_text(tensor->shape) +
        text.substr(pt.extent(tensor->storage).offset + tensor->offset * size,
                    tensor->count() * size);
  }
  return tensors;
}

class Zero3 : public testing::Test {
 protected:
  // A small model of savanna's whose elements all differ, on 3 x 2 ranks, in two groups.
  static Zero3Files small() {
    Zero3Files files;
    files.dp_world = 3;
    files.mp_world = 2;
    files.groups = {{{"sequential.0.word_embeddings.weight", {8, 5}},
                     {"sequential.2.mlp.w1.weight", {8, 5}},
                     {"sequential.2.mlp.w3.weight", {5, 8}}},
                    {{"sequential.2.input_layernorm.weight", {5}}}};
    files.buffers = {{"sequential.2.mixer.rotary_emb.inv_freq", {4}}};
    files.extra_states = {"sequential.2.mlp.w1._extra_state"};
    files.tied = {{"sequential.8.word_embeddings.weight", "sequential.0.word_embeddings.weight"}};
    files.element = [](const std::string& name, int mp_rank, std::int64_t index) {
      const bool is_replica = name.find("layernorm") != std::string::npos;
      return static_cast<float>(name.size() * 1000 + static_cast<std::size_t>(index)) +
             (is_replica ? 0.0F : 0.25F * static_cast<float>(mp_rank));
    };
    return files;
  }

  fs::path in() const { return flow_.folder() / "in"; }
  fs::path copy_of(const std::string& name) const {
    for (const auto& [file, text] : files_of(golden(name)))
      flow_.folder().write("in/" + file, text);
    return in();
  }

  // What the reader says of a checkpoint in which one file is another's.
  std::string contradiction(const Zero3Files& other, int dp, int mp, bool optimizer) const {
    small().write(in());
    if (optimizer) {
      other.write_optimizer(in(), dp, mp);
    } else {
      other.write_model(in(), dp, mp);
    }
    const Error error = flow_.failure(in(), "zero1");
    EXPECT_EQ(error.code(), CKB_CORRUPT) << error.what();
    return error.what();
  }

  FlowRun flow_;
};

class Zero3Golden : public Zero3, public testing::WithParamInterface<const char*> {};

TEST_P(Zero3Golden, EqualsTheScripts) {
  flow_.convert(golden(std::string("ds_z3_") + GetParam()), "zero1", kScript);
  const fs::path expected = golden(std::string("z3_") + GetParam());
  const std::set<std::string> files = TempFolder::tree_of(flow_.out());
  EXPECT_EQ(files, TempFolder::tree_of(expected));
  for (const std::string& file : files) {
    const RankContent mine = read_rank_file(flow_.out() / file);
    const RankContent other = read_rank_file(expected / file);
    EXPECT_EQ(mine.keys, other.keys);
    EXPECT_EQ(mine.param_shapes, other.param_shapes);
    EXPECT_EQ(mine.others, other.others);
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

INSTANTIATE_TEST_SUITE_P(All, Zero3Golden,
                         testing::Values("w4_mp2", "w2_frozen", "w2_tied", "w2_legacy"),
                         [](const auto& test) { return std::string(test.param); });

class Zero3Truth : public Zero3, public testing::WithParamInterface<const char*> {};

TEST_P(Zero3Truth, IsWhatDeepSpeedGathered) {
  const fs::path input = golden(std::string("ds_z3_") + GetParam());
  flow_.convert(input, "zero1");
  std::size_t compared = 0;
  for (const std::string& file : TempFolder::tree_of(flow_.out())) {
    const RankContent mine = read_rank_file(flow_.out() / file);
    for (const auto& [name, text] :
         tensors_of(input / ("truth_mp_rank_" + file.substr(8, 2) + ".pt"))) {
      const RankEntry* entry = mine.find(name);
      ASSERT_NE(entry, nullptr) << name;
      EXPECT_TRUE(entry->form + entry->bytes == text) << file << ": " << name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 40u);
}

INSTANTIATE_TEST_SUITE_P(All, Zero3Truth,
                         testing::Values("w4_mp2", "w2_frozen", "w2_tied", "w2_fp16", "w2_legacy"),
                         [](const auto& test) { return std::string(test.param); });

// Every element of every parameter is where it should be.
void expect_elements(const fs::path& folder, const Zero3Files& files) {
  for (int mp = 0; mp < files.mp_world; ++mp) {
    const RankContent content = read_rank_file(folder / rank_name(mp));
    for (const auto& group : files.groups) {
      for (const auto& [name, shape] : group) {
        const RankEntry* entry = content.find(name);
        ASSERT_NE(entry, nullptr) << name;
        EXPECT_EQ(entry->form, "float32" + sizes_text(shape));
        for (std::size_t i = 0; i < entry->bytes.size() / 4; ++i) {
          float value = 0;
          std::memcpy(&value, entry->bytes.data() + 4 * i, 4);
          ASSERT_EQ(value, files.element(name, files.spread ? 0 : mp, static_cast<std::int64_t>(i)))
              << name;
        }
      }
    }
  }
}

TEST_F(Zero3, FragmentsOfAnyNumberOfRanksAreJoinedWithoutPadding) {
  const Zero3Files files = small();
  files.write(in());
  flow_.convert(in(), "zero1", kScript);
  expect_elements(flow_.out(), files);
}

TEST_F(Zero3, ParametersMayLieOverAllProcesses) {
  Zero3Files files = small();
  files.spread = true;
  files.write(in());
  const auto run = flow_.convert(in(), "zero1", kScript);
  expect_elements(flow_.out(), files);
  EXPECT_THAT(run->source.arena->notes.at(0), HasSubstr("over all 6 processes, as by zero.Init"));
}

TEST_F(Zero3, SharedParametersStaySharedOnEveryModelParallelRank) {
  small().write(in());
  flow_.convert(in(), "zero1", kScript);
  for (int mp = 0; mp < 2; ++mp) {
    const RankContent content = read_rank_file(flow_.out() / rank_name(mp));
    const RankEntry* kept = content.find("sequential.0.word_embeddings.weight");
    const RankEntry* tied = content.find("sequential.8.word_embeddings.weight");
    ASSERT_TRUE(kept != nullptr && tied != nullptr);
    EXPECT_EQ(kept->storage, tied->storage);
    EXPECT_EQ(content.module.back().name, tied->name);
  }
}

TEST_F(Zero3, ReadsOneModelParallelRankAlone) {
  small().write(in());
  flow_.convert(in(), "zero1", kScript);
  const auto whole = files_of(flow_.out());
  fs::remove_all(flow_.out());
  flow_.convert(in(), "zero1", {{"style", "zero3"}, {"rank-start", "1"}, {"rank-end", "1"}});
  const auto one = files_of(flow_.out());
  ASSERT_EQ(one.size(), 1u);
  EXPECT_TRUE(one.at(rank_name(1)) == whole.at(rank_name(1)));
  fs::remove_all(flow_.out());
  EXPECT_THAT(flow_.failure(in(), "zero1", {{"rank-end", "2"}}).what(),
              HasSubstr("ranks 0 to 2 were asked for, but the checkpoint has 2 model-parallel"));
}

TEST_F(Zero3, LeavesFrozenParametersOutWhereAsked) {
  flow_.convert(golden("ds_z3_w2_frozen"), "zero1",
                {{"style", "zero3"}, {"exclude-frozen-parameters", std::nullopt}});
  const RankContent mine = read_rank_file(flow_.out() / rank_name(0));
  const RankContent whole = read_rank_file(golden("z3_w2_frozen/" + rank_name(0)));
  EXPECT_EQ(mine.module.size() + 5, whole.module.size());
  EXPECT_EQ(mine.find("sequential.3.mixer.dense.weight"), nullptr);
}

TEST_F(Zero3, DoesNotReadTheMoments) {
  Zero3Files files;
  files.groups = {{{"sequential.2.mlp.w1.weight", {1024, 1024}}}};
  files.write(in());
  const auto run = flow_.convert(in(), "zero1");
  EXPECT_LT(run->source.arena->sources.bytes_read(), (4u << 20) + (256u << 10));
  bool told = false;
  for (const DroppedBytes& dropped : run->coverage.dropped) {
    if (dropped.reason.find("Adam's moments") == std::string::npos) continue;
    EXPECT_EQ(dropped.bytes, (8u << 20) + 8);
    told = true;
  }
  EXPECT_TRUE(told);
}

TEST_F(Zero3, IsToldFromZero1ByItsFiles) {
  EXPECT_EQ(flow_.read(golden("ds_z3_w2_fp16"))->source.reader->id, "zero3-reader");
  EXPECT_EQ(flow_.read(golden("ds_z3_w2_fp16/global_step2"))->source.reader->id, "zero3-reader");
  EXPECT_EQ(flow_.read(FlowRun::golden("zero1/z1_mp8"))->source.reader->id, "zero1-reader");
  EXPECT_THAT(
      flow_.failure(golden("ds_z3_w2_fp16/global_step2") / Zero3Files::model_name(0, 0), "zero1")
          .what(),
      HasSubstr("give the folder that holds them"));
}

TEST_F(Zero3, SaysWhichRankIsMissing) {
  copy_of("ds_z3_w4_mp2");
  fs::remove(in() / "global_step2" / Zero3Files::optimizer_name(1, 1));
  const Error error = flow_.failure(in(), "zero1");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(),
              HasSubstr("global_step2/: rank 1 of 2 is missing: no "
                        "bf16_zero_pp_rank_1_mp_rank_01_optim_states.pt (partition_count is 2)"));
}

TEST_F(Zero3, SaysWhichFilesContradictEachOther) {
  Zero3Files other = small();
  other.global_steps = 3;
  EXPECT_THAT(contradiction(other, 1, 0, false),
              AllOf(HasSubstr("zero_pp_rank_1_mp_rank_00_model_states.pt: global_steps is 3, "),
                    HasSubstr("but zero_pp_rank_0_mp_rank_00_model_states.pt says 2")));
  other = small();
  other.ds_version = "0.12.0";
  EXPECT_THAT(contradiction(other, 2, 1, true),
              HasSubstr("bf16_zero_pp_rank_2_mp_rank_01_optim_states.pt: ds_version is 0.12.0"));
  other = small();
  other.dp_world = 4;
  EXPECT_THAT(contradiction(other, 1, 1, true), HasSubstr("partition_count (dp_world_size) is 4"));
  other = small();
  other.groups[0][1].shape = {5, 8};
  EXPECT_THAT(contradiction(other, 1, 1, false),
              HasSubstr("param_shapes has sequential.2.mlp.w1.weight [5, 8], but that of "
                        "zero_pp_rank_0_mp_rank_01_model_states.pt has "
                        "sequential.2.mlp.w1.weight [8, 5]"));
  other = small();
  other.groups[0].pop_back();
  EXPECT_THAT(contradiction(other, 1, 0, true),
              HasSubstr("flat group 0 has 28 elements, the parameters need 42"));
  other = small();
  other.groups.pop_back();
  EXPECT_THAT(contradiction(other, 2, 0, true), HasSubstr("the number of flat groups is 1"));
}

TEST_F(Zero3, RefusesOptimizerFilesOfOtherStages) {
  Zero3Files other = small();
  other.zero_stage = 2;
  other.write(in());
  const Error error = flow_.failure(in(), "zero1");
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("is of ZeRO stage 2 (zero_stage), expected 3"));
}

TEST_F(Zero3, RefusesAnotherNumberOfModelParallelRanks) {
  small().write(in());
  const Error error = flow_.failure(in(), "zero1", {{"expect-mp-size", "4"}});
  EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("has 2 model-parallel ranks, not 4"),
                                  HasSubstr("--to zero1 --mp-size 4")));
}

TEST_F(Zero3, RefusesAParameterThatNoFileHolds) {
  Zero3Files files = small();
  files.tied[0].second = "sequential.9.weight";
  files.write(in());
  EXPECT_THAT(flow_.failure(in(), "zero1").what(),
              HasSubstr("shares sequential.9.weight (shared_params), which is not a parameter"));
}

TEST_F(Zero3, ExplainsEachParameter) {
  small().write(in());
  const auto run = flow_.plan(in(), "zero1", {{"explain", std::nullopt}});
  EXPECT_EQ(run->source.arena->notes.size(), 8u);
  EXPECT_THAT(run->source.arena->notes[1],
              HasSubstr("sequential.2.mlp.w1.weight (model-parallel rank 0): [8, 5], 40 elements: "
                        "3 pieces of 14, 2 of them padding; from element 14 of flat group 0"));
}

// One conversion of in() against the steps that the Python scripts would take.
TEST_F(Zero3, OnePassToOtherRanksEqualsTwo) {
  small().write(in());
  flow_.convert(in(), "zero1", kScript);
  const fs::path middle = flow_.folder() / "middle";
  fs::rename(flow_.out(), middle);
  for (const char* ranks : {"1", "4"}) {
    flow_.convert(middle, "zero1", {{"mp-size", ranks}});
    const auto steps = files_of(flow_.out());
    fs::remove_all(flow_.out());
    flow_.convert(in(), "zero1", {{"mp-size", ranks}});
    EXPECT_TRUE(files_of(flow_.out()) == steps) << ranks;
    fs::remove_all(flow_.out());
  }
}

// The model of which the real importer made out_torch_dist, as a checkpoint of ZeRO-3.
TEST_F(Zero3, OnePassToNemoEqualsTheRealImporter) {
  std::map<std::string, std::vector<float>> elements;
  Zero3Files files;
  files.dp_world = 3;
  files.groups.resize(1);
  const RankContent tiny = read_rank_file(FlowRun::golden("nemo2/input_tiny.pt"));
  for (const RankEntry& entry : tiny.module) {
    if (entry.name.ends_with("_extra_state")) continue;
    const bool is_half = entry.form.starts_with("bfloat16");
    ASSERT_TRUE(is_half || entry.form.starts_with("float32")) << entry.form;
    std::vector<float>& values = elements[entry.name];
    for (std::size_t i = 0; i < entry.bytes.size(); i += is_half ? 2 : 4) {
      std::uint32_t bits = 0;
      std::memcpy(reinterpret_cast<char*>(&bits) + (is_half ? 2 : 0), entry.bytes.data() + i,
                  is_half ? 2 : 4);
      values.push_back(std::bit_cast<float>(bits));
    }
    std::vector<std::int64_t> shape;
    std::istringstream sizes(entry.form.substr(entry.form.find('[') + 1));
    for (std::string size; std::getline(sizes, size, ',');) shape.push_back(std::stoll(size));
    files.groups[0].push_back({entry.name, shape});
  }
  files.element = [&](const std::string& name, int, std::int64_t index) {
    return elements.at(name).at(static_cast<std::size_t>(index));
  };
  files.write(in());
  const std::vector<OptionText> options{
      {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}};

  flow_.convert(in(), "nemo2-torch_dist", options);
  const DcpFolder ours = read_dcp(flow_.out() / "weights");
  const DcpFolder theirs = read_dcp(FlowRun::golden("nemo2/out_torch_dist/weights"));
  EXPECT_EQ(ours.tensors.size(), 73u);
  EXPECT_TRUE(ours.tensors == theirs.tensors);

  const auto one_pass = files_of(flow_.out());
  fs::remove_all(flow_.out());
  flow_.convert(in(), "zero1", kScript);
  fs::rename(flow_.out(), flow_.folder() / "middle");
  flow_.convert(flow_.folder() / "middle", "nemo2-torch_dist", options);
  EXPECT_TRUE(files_of(flow_.out()) == one_pass);
}

}  // namespace
}  // namespace ckptbridge
