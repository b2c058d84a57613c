// Megatron's names back to savanna's: through plain state dicts, and from a checkpoint of the real
// importer.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/state_dict.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const OptionText kProfile = {"profile", FlowRun::golden("nemo2/tiny_profile.json").string()};

boost::filesystem::path input() { return FlowRun::golden("nemo2/input_tiny.pt"); }

// The elements as float32, exactly; of bfloat16 and float32.
std::string widened(const RankEntry& entry) {
  if (entry.form.starts_with("float32")) return entry.bytes;
  EXPECT_THAT(entry.form, testing::StartsWith("bfloat16")) << entry.name;
  std::string wide;
  for (std::size_t i = 0; i < entry.bytes.size(); i += 2) {
    wide += std::string("\0\0", 2) + entry.bytes.substr(i, 2);
  }
  return wide;
}

// The first 128 of 256 columns of float32 rows.
std::string truncated(const std::string& bytes) {
  std::string left;
  for (std::size_t row = 0; row < bytes.size(); row += 1024) left += bytes.substr(row, 512);
  return left;
}

bool is_truncated(const std::string& name) {
  return name.ends_with("filter.h") || name.ends_with("filter.decay");
}

class WayBack : public testing::Test {
 protected:
  // The tiny model in Megatron's names.
  boost::filesystem::path megatron(std::vector<OptionText> options = {}) {
    options.insert(options.end(), {{"names", "megatron"}, kProfile});
    there_.convert(input(), "pt", options);
    return there_.out() / "model.pt";
  }

  FlowRun there_;
  FlowRun flow_;
};

TEST_F(WayBack, GivesTheTensorsBackBitForBit) {
  const auto in = megatron({{"params-dtype", "fp32"}});
  flow_.convert(in, "pt", {{"names", "savanna"}, kProfile});
  const RankContent original = read_rank_file(input());
  std::vector<std::string> wanted;
  for (const RankEntry& entry : original.module) {
    if (entry.form == "object" || entry.name.ends_with("_extra_state")) continue;
    if (entry.name.ends_with("filter.t") || entry.name.ends_with("inv_freq")) continue;
    wanted.push_back(entry.name);
  }
  std::vector<std::string> names;
  for (const RankEntry& found : read_state_dict(flow_.out() / "model.pt")) {
    names.push_back(found.name);
    const RankEntry* entry = original.find(found.name);
    ASSERT_NE(entry, nullptr) << found.name;
    const std::string before = widened(*entry);
    EXPECT_TRUE(found.bytes == (is_truncated(found.name) ? truncated(before) : before))
        << found.name;
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(wanted));
}

TEST_F(WayBack, LeavesDtypesAsTheyAreUnlessAsked) {
  const auto in = megatron();
  flow_.convert(in, "pt", {{"names", "savanna"}, kProfile});
  for (const RankEntry& entry : read_state_dict(flow_.out() / "model.pt")) {
    EXPECT_THAT(entry.form, testing::StartsWith("bfloat16")) << entry.name;
  }
  const FlowRun wide;
  wide.convert(in, "pt", {{"names", "savanna"}, {"params-dtype", "fp32"}, kProfile});
  for (const RankEntry& entry : read_state_dict(wide.out() / "model.pt")) {
    EXPECT_THAT(entry.form, testing::StartsWith("float32")) << entry.name;
  }
}

TEST_F(WayBack, NamesWhatDoesNotComeBack) {
  const auto run = flow_.convert(megatron(), "pt", {{"names", "savanna"}, kProfile});
  EXPECT_THAT(run->source.arena->notes,
              AllOf(Contains("mixer.mixer.filter.h (2 tensors) has 128 of the 256 columns of tiny: "
                             "the rest was lost on the way to NeMo"),
                    Contains(HasSubstr("mixer.mixer.filter.decay (2 tensors) has 128")),
                    Contains("mixer.mixer.filter.t (2 tensors) is in Savanna's checkpoints and not "
                             "in NeMo's: positions; made again from seq_length"),
                    Contains(HasSubstr("mixer.rotary_emb.inv_freq (1 tensor) is in Savanna's")),
                    Contains("80 tensors stay bfloat16; what more precision they had before NeMo "
                             "is lost (--params-dtype fp32 widens them)")));
  EXPECT_THAT(run->target.properties(),
              Contains(std::pair<const std::string, std::string>("model_size", "tiny")));
}

TEST_F(WayBack, MakesRankFilesOfAnyNumberOfRanks) {
  const auto in = megatron({{"params-dtype", "fp32"}});
  const auto run = flow_.convert(in, "zero1", {{"mp-size", "4"}, kProfile});
  EXPECT_THAT(run_line(run->chain.text), HasSubstr(" ! evo2-mapper "));
  EXPECT_THAT(run_line(run->chain.text), HasSubstr(" ! mp-resharder mp-size=4 ! zero1-writer"));
  const RankContent last = read_rank_file(flow_.out() / rank_name(3));
  const RankEntry* filter = last.find("sequential.3.mixer.mixer.filter.h");
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(filter->form, "float32[4, 128]");
  const RankContent original = read_rank_file(input());
  const RankEntry* w3 = original.find("sequential.2.mlp.w3.weight");
  const std::string whole = widened(*w3);  // 64 rows of 176, split in columns
  std::string columns;
  for (std::size_t row = 0; row < 64; ++row) {
    columns += whole.substr((row * 176 + 132) * 4, std::size_t{44} * 4);
  }
  EXPECT_TRUE(last.find("sequential.2.mlp.w3.weight")->bytes == columns);
}

TEST_F(WayBack, KnowsNamesWithoutTransformerEngine) {
  flow_.convert(megatron({{"no-te", "true"}, {"params-dtype", "fp32"}}), "pt",
                {{"names", "savanna"}, kProfile});
  const FlowRun other;
  const auto with = [&] {
    const FlowRun to;
    to.convert(input(), "pt", {{"names", "megatron"}, {"params-dtype", "fp32"}, kProfile});
    other.convert(to.out() / "model.pt", "pt", {{"names", "savanna"}, kProfile});
    return file_text(other.out() / "model.pt");
  }();
  EXPECT_TRUE(file_text(flow_.out() / "model.pt") == with);
}

TEST_F(WayBack, RefusesWhatHasNoMeaning) {
  const auto in = megatron();
  const Error error =
      flow_.failure(in, "pt", {{"names", "savanna"}, {"use-subquadratic-ops", "true"}, kProfile});
  EXPECT_EQ(error.code(), CKB_INVALID_ARGUMENT);
  EXPECT_THAT(error.what(), HasSubstr("--use-subquadratic-ops is about NeMo's configuration"));
}

TEST_F(WayBack, RefusesAnotherSize) {
  const Error error = flow_.failure(megatron(), "pt", {{"names", "savanna"}, {"model-size", "7b"}});
  EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("the checkpoint has 7 layers, 7b has 32"));
}

// float32 bytes, or bfloat16 ones, as bfloat16: round to nearest, ties to even. No NaN is there.
std::string rounded(const RankEntry& entry) {
  if (entry.form.starts_with("bfloat16")) return entry.bytes;
  std::string narrow;
  for (std::size_t i = 0; i < entry.bytes.size(); i += 4) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, entry.bytes.data() + i, 4);
    bits += 0x7fff + (bits >> 16 & 1);
    narrow += {static_cast<char>(bits >> 16 & 0xff), static_cast<char>(bits >> 24 & 0xff)};
  }
  return narrow;
}

// The first 128 of 256 columns of bfloat16 rows.
std::string truncated_rows_of_bf16(const std::string& bytes) {
  std::string left;
  for (std::size_t row = 0; row < bytes.size(); row += 512) left += bytes.substr(row, 256);
  return left;
}

class WayBackFromNeMo : public testing::Test {
 protected:
  static boost::filesystem::path nemo() { return FlowRun::golden("nemo2/out_torch_dist"); }

  // The real importer's checkpoint, with another line in its context.
  boost::filesystem::path with_context(const std::string& line, const std::string& instead) {
    for (const auto& entry : boost::filesystem::recursive_directory_iterator(nemo())) {
      if (!boost::filesystem::is_regular_file(entry.path())) continue;
      std::string text = file_text(entry.path());
      const std::string name = entry.path().lexically_relative(nemo()).string();
      if (name == "context/model.yaml") {
        const std::size_t at = text.find(line);
        EXPECT_NE(at, std::string::npos);
        text.replace(at, line.size(), instead);
      }
      flow_.folder().write("in/" + name, text);
    }
    return flow_.folder() / "in";
  }

  FlowRun flow_;
};

TEST_F(WayBackFromNeMo, GivesWhatTheRealImporterRoundedAndCut) {
  flow_.convert(nemo(), "pt", {{"names", "savanna"}, kProfile});
  const RankContent original = read_rank_file(input());
  const auto found = read_state_dict(flow_.out() / "model.pt");
  EXPECT_EQ(found.size(), 80u);
  for (const RankEntry& entry : found) {
    const RankEntry* before = original.find(entry.name);
    ASSERT_NE(before, nullptr) << entry.name;
    EXPECT_THAT(entry.form, testing::StartsWith("bfloat16")) << entry.name;
    const std::string wanted = rounded(*before);
    EXPECT_TRUE(entry.bytes == (is_truncated(entry.name) ? truncated_rows_of_bf16(wanted) : wanted))
        << entry.name;
  }
}

TEST_F(WayBackFromNeMo, SaysWhyEachObjectIsLeftOut) {
  const auto run = flow_.convert(nemo(), "zero1", {{"mp-size", "8"}, kProfile});
  EXPECT_THAT(run_line(run->chain.text), HasSubstr("nemo2-torch_dist-reader path="));
  EXPECT_THAT(run_line(run->chain.text), HasSubstr("! mp-resharder mp-size=8 ! zero1-writer"));
  const auto dropped = dropped_objects(*run);
  EXPECT_EQ(dropped.at("state of Transformer Engine's modules; Savanna starts from its own").size(),
            30u);
  EXPECT_THAT(dropped.at("NeMo's configuration; Savanna has its own"),
              testing::UnorderedElementsAre("context/io.json", "context/model.yaml"));
  EXPECT_THAT(dropped.at("training state of NeMo"), testing::ElementsAre("common"));
  EXPECT_EQ(dropped.size(), 3u);
  EXPECT_TRUE(boost::filesystem::exists(flow_.out() / rank_name(7)));
  EXPECT_THAT(run->source.arena->notes,
              Contains(HasSubstr("; context/model.yaml agrees with it)")));
}

TEST_F(WayBackFromNeMo, TellsWhereTheContextSaysOtherwise) {
  const auto in = with_context("  rotary_base: 10000\n", "  rotary_base: 500000\n");
  const auto run = flow_.convert(in, "pt", {{"names", "savanna"}, kProfile});
  EXPECT_THAT(run->source.arena->notes,
              Contains("context/model.yaml says rotary_base 500000, size tiny has 10000: Savanna's "
                       "configuration must say what holds for this model"));
  EXPECT_THAT(run->source.arena->notes, Not(Contains(HasSubstr("agrees with it"))));
}

TEST_F(WayBackFromNeMo, KeepsMegatronsNamesUnlessAsked) {
  flow_.convert(nemo(), "pt");
  const DcpFolder theirs = read_dcp(nemo() / "weights");
  std::size_t tensors = 0;
  for (const RankEntry& entry : read_state_dict(flow_.out() / "model.pt")) {
    if (entry.name.ends_with("_extra_state")) continue;
    ASSERT_TRUE(theirs.tensors.contains(entry.name)) << entry.name;
    EXPECT_TRUE(theirs.tensors.at(entry.name).bytes == entry.bytes) << entry.name;
    ++tensors;
  }
  EXPECT_EQ(tensors, 73u);
}

TEST_F(WayBackFromNeMo, GivesTheTensorsBackThroughBothFormats) {
  const FlowRun first;
  const FlowRun second;
  const FlowRun third;
  first.convert(input(), "nemo2-torch_dist", {{"params-dtype", "fp32"}, kProfile});
  second.convert(first.out(), "nemo2-zarr");
  third.convert(second.out(), "nemo2-torch_dist");
  flow_.convert(third.out(), "zero1", {kProfile});
  const RankContent original = read_rank_file(input());
  const RankContent found = read_rank_file(flow_.out() / rank_name(0));
  EXPECT_EQ(found.module.size(), 80u);
  for (const RankEntry& entry : found.module) {
    ASSERT_NE(original.find(entry.name), nullptr) << entry.name;
    const std::string before = widened(*original.find(entry.name));
    EXPECT_TRUE(entry.bytes == (is_truncated(entry.name) ? truncated(before) : before))
        << entry.name;
  }
}

TEST_F(WayBack, SaysWhereNeMoWouldMissItsContext) {
  const auto run = flow_.convert(megatron(), "nemo2-torch_dist");
  EXPECT_THAT(run->source.arena->notes, Contains(HasSubstr("the output has no context/io.json")));
  const FlowRun whole;
  EXPECT_THAT(whole.convert(input(), "nemo2-torch_dist", {kProfile})->source.arena->notes,
              Not(Contains(HasSubstr("no context"))));
}

}  // namespace
}  // namespace ckptbridge
