// safetensors, read and written, against files of the real package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/state_dict.h"

namespace ckptbridge {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Safetensors : public testing::Test {
 protected:
  static boost::filesystem::path sharded() { return FlowRun::golden("safetensors/sharded"); }

  // The sharded checkpoint in a folder of the test's own.
  boost::filesystem::path copy() const {
    for (const char* name : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                             "model.safetensors.index.json"}) {
      flow_.folder().write(std::string("in/") + name, file_text(sharded() / name));
    }
    return flow_.folder() / "in";
  }

  FlowRun flow_;
};

TEST_F(Safetensors, WritesTheBytesOfTheRealPackage) {
  const auto golden = FlowRun::golden("safetensors/dtypes.safetensors");
  flow_.convert(golden, "safetensors");
  EXPECT_TRUE(file_text(flow_.out() / "model.safetensors") == file_text(golden));
}

TEST_F(Safetensors, ReadsEveryDtype) {
  const auto run = flow_.read(FlowRun::golden("safetensors/dtypes.safetensors"));
  EXPECT_EQ(run->source.graph.tensors().size(), 22u);
  for (const Tensor& tensor : run->source.graph.tensors()) {
    if (tensor.name.starts_with("of.")) {
      EXPECT_EQ("of." + dtype_name(run->source.arena->nodes.dtype(tensor.value)), tensor.name);
    }
  }
  EXPECT_EQ(run->source.graph.properties().count("names"), 0u);
}

TEST_F(Safetensors, ReadsShardsByTheirIndex) {
  flow_.convert(sharded(), "pt");
  const auto found = read_state_dict(flow_.out() / "model.pt");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].name, "sequential.0.word_embeddings.weight");
  EXPECT_EQ(found[0].form, "float32[2, 3]");
  EXPECT_EQ(found[1].form, "bfloat16[1]");
  EXPECT_EQ(found[1].bytes, "\xe0\x40");
  EXPECT_EQ(found[2].name, "sequential.3.norm.weight");
}

TEST_F(Safetensors, DropsWhatTheIndexDoesNotName) {
  const auto run = flow_.convert(sharded() / "model.safetensors.index.json", "safetensors");
  ASSERT_EQ(run->coverage.dropped.size(), 1u);
  EXPECT_EQ(run->coverage.dropped[0].reason, "tensors that the index does not name");
  EXPECT_EQ(run->coverage.dropped[0].bytes, 3u);
  EXPECT_EQ(run->source.graph.properties().at("names"), "savanna");
  EXPECT_THAT(file_text(flow_.out() / "model.safetensors"),
              HasSubstr(R"({"__metadata__":{"format":"pt","trained_by":"us"},)"));
}

TEST_F(Safetensors, WritesShardsThatHoldNoMoreThanAsked) {
  const auto in = flow_.folder().write(
      "in.pt", make_rank_file({{"a", {4}, "abcd"}, {"b", {2}, "xy"}, {"c", {9}, "123456789"}}));
  flow_.convert(in, "safetensors", {{"max-shard-bytes", "6"}});
  EXPECT_EQ(file_text(flow_.out() / "model.safetensors.index.json"),
            "{\n  \"metadata\": {\n    \"total_size\": 15\n  },\n  \"weight_map\": {\n"
            "    \"a\": \"model-00001-of-00002.safetensors\",\n"
            "    \"b\": \"model-00001-of-00002.safetensors\",\n"
            "    \"c\": \"model-00002-of-00002.safetensors\"\n  }\n}\n");
  EXPECT_THAT(file_text(flow_.out() / "model-00001-of-00002.safetensors"),
              testing::EndsWith("abcdxy"));
  EXPECT_FALSE(boost::filesystem::exists(flow_.out() / "model.safetensors"));
  // And they are read again.
  const FlowRun back;
  back.convert(flow_.out(), "pt");
  EXPECT_EQ(read_state_dict(back.out() / "model.pt").at(2).bytes, "123456789");
}

TEST_F(Safetensors, SaysThatTiedTensorsAreWrittenTwice) {
  const auto in =
      flow_.folder().write("in.pt", make_rank_file({{"a", {2}, "ab", 1}, {"b", {2}, "ab", 1}}));
  const auto run = flow_.convert(in, "safetensors");
  EXPECT_THAT(run->source.arena->notes, Contains(HasSubstr("1 tensors repeat others")));
  EXPECT_THAT(file_text(flow_.out() / "model.safetensors"), testing::EndsWith("abab"));
}

TEST_F(Safetensors, GivesTheModelBackBitForBit) {
  flow_.convert(FlowRun::golden("nemo2/input_tiny.pt"), "safetensors",
                {{"max-shard-bytes", "100000"}});
  const FlowRun back;
  back.convert(flow_.out(), "pt");
  const RankContent original = read_rank_file(FlowRun::golden("nemo2/input_tiny.pt"));
  std::size_t tensors = 0;
  for (const RankEntry& entry : read_state_dict(back.out() / "model.pt")) {
    ASSERT_NE(original.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(original.find(entry.name)->form, entry.form) << entry.name;
    EXPECT_TRUE(original.find(entry.name)->bytes == entry.bytes) << entry.name;
    ++tensors;
  }
  EXPECT_GE(tensors, 83u);
}

TEST_F(Safetensors, NamesAMissingShard) {
  const auto in = copy();
  boost::filesystem::remove(in / "model-00002-of-00002.safetensors");
  const Error error = flow_.failure(in, "pt");
  EXPECT_EQ(error.code(), CKB_NOT_FOUND);
  EXPECT_THAT(error.what(), HasSubstr("names model-00002-of-00002.safetensors, which is missing"));
}

TEST_F(Safetensors, NamesATensorThatIsNotWhereTheIndexSays) {
  const auto in = copy();
  flow_.folder().write("in/model.safetensors.index.json",
                       R"({"weight_map": {"nowhere": "model-00001-of-00002.safetensors"}})");
  const Error error = flow_.failure(in, "pt");
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(),
              HasSubstr("nowhere should be in model-00001-of-00002.safetensors, which "
                        "lacks it"));
}

TEST_F(Safetensors, RefusesATruncatedFile) {
  const std::string whole = file_text(FlowRun::golden("safetensors/dtypes.safetensors"));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    const auto cut = flow_.folder().write("cut.safetensors", whole.substr(0, size));
    const Error error = flow_.failure(cut, "pt");
    EXPECT_EQ(error.code(), CKB_CORRUPT) << size;
    EXPECT_THAT(error.what(), HasSubstr("cut.safetensors")) << size;
    EXPECT_THAT(error.what(), HasSubstr("cut short")) << size;
  }
}

TEST_F(Safetensors, RefusesALongerHeaderThanTheFormatAllows) {
  const auto in =
      flow_.folder().write("big.safetensors", std::string("\x01\xe1\xf5\x05\0\0\0\0{", 9) + "}");
  EXPECT_THAT(flow_.failure(in, "pt").what(), HasSubstr("a header of 100000001 bytes"));
}

TEST_F(Safetensors, AsksWhichOfSeveralFilesIsMeant) {
  flow_.folder().write("in/a.safetensors", "x");
  flow_.folder().write("in/b.safetensors", "x");
  EXPECT_THAT(flow_.failure(flow_.folder() / "in", "pt").what(),
              HasSubstr("2 files could be meant (a.safetensors, b.safetensors), and no index"));
}

}  // namespace
}  // namespace ckptbridge
