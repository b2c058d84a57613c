// Real files, damaged in each of their structures: an error, or the right tensors.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/compare/common_form.h"
#include "core/compare/digest_list.h"
#include "core/verify.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/unit/flows/flow_run.h"

namespace ckptbridge {
namespace {

namespace tf = torch_file;

std::string text_of(const boost::filesystem::path& path) { return TempFolder::text_of(path); }

DigestList digests_of(const Checkpoint& checkpoint) {
  DigestList list = make_digest_list(checkpoint.graph, make_buffers({1, 128u << 20}), {});
  checkpoint.arena->require_sound_sources();
  return list;
}

// Reads a .pt that has been damaged again and again, and compares it with what it was.
class Mutation : public testing::Test {
 protected:
  void use(const std::string& golden) {
    whole_ = text_of(FlowRun::golden(golden));
    expected_ = digest_list_json(digests_of(read(whole_)->source), "");
  }

  // True if it was read and is what it was; false if it was refused.
  bool is_right(const std::string& bytes) {
    try {
      const auto run = read(bytes);
      const std::string found = digest_list_json(digests_of(run->source), "");
      EXPECT_EQ(found, expected_);
      return true;
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()), "");
      EXPECT_NE(error.code(), CKB_INTERNAL) << error.what();
      return false;
    }
  }

  void flip_each(std::size_t begin, std::size_t end, std::size_t step) {
    for (std::size_t i = begin; i < end; i += step) {
      std::string bytes = whole_;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
      SCOPED_TRACE(i);
      is_right(bytes);
    }
  }

  tf::ZipDirectory directory() const {
    return tf::read_zip_directory(tf::MemorySource(std::as_bytes(std::span(whole_)), "x.pt"));
  }

  std::unique_ptr<FlowRun::Opened> read(const std::string& bytes) {
    return flow_.read(flow_.folder().write("x.pt", bytes));
  }

  FlowRun flow_;
  std::string whole_;
  std::string expected_;
};

// Local headers, the central directory and what ends it: all but the records' contents.
TEST_F(Mutation, OfTheStructuresOfAZipIsFoundOrHarmless) {
  use("torch_file/tiny_sd.pt");
  constexpr std::size_t kHeader = 16 + 30;  // what follows the record before, and what is fixed
  std::size_t at = 0;
  for (const tf::ZipRecord& record : directory().records) {
    flip_each(at, std::min<std::size_t>(at + kHeader, record.offset), 1);
    flip_each(at + kHeader, record.offset, 7);  // name and padding
    at = record.offset + record.size;
  }
  flip_each(at, whole_.size(), 3);
}

TEST_F(Mutation, OfThePickleIsFound) {
  use("torch_file/tiny_sd.pt");
  const tf::ZipDirectory zip = directory();
  const tf::ZipRecord& pickle = *zip.find("data.pkl");
  for (std::size_t i = 0; i < pickle.size; ++i) {
    std::string bytes = whole_;
    bytes[pickle.offset + i] = static_cast<char>(bytes[pickle.offset + i] ^ 1 << i % 8);
    EXPECT_FALSE(is_right(bytes)) << i;
  }
}

TEST_F(Mutation, OfTensorDataIsFound) {
  use("torch_file/tiny_sd.pt");
  std::size_t count = 0;
  for (const tf::ZipRecord& record : directory().records) {
    if (!record.name.starts_with("data/")) continue;
    for (std::size_t i = 0; i < record.size; ++i, ++count) {
      std::string bytes = whole_;
      bytes[record.offset + i] = static_cast<char>(bytes[record.offset + i] ^ 1 << i % 8);
      EXPECT_FALSE(is_right(bytes)) << record.name << " " << i;
    }
  }
  EXPECT_GT(count, 20u);
}

TEST_F(Mutation, ByTruncationIsFoundAtEachBoundary) {
  use("torch_file/tiny_sd.pt");
  for (const tf::ZipRecord& record : directory().records) {
    for (const std::uint64_t end : {record.offset, record.offset + record.size}) {
      for (const std::uint64_t size : {end - 1, end, end + 1}) {
        EXPECT_FALSE(is_right(whole_.substr(0, size))) << size;
      }
    }
  }
  for (std::size_t less = 1; less < 200; ++less) {
    EXPECT_FALSE(is_right(whole_.substr(0, whole_.size() - less))) << less;
  }
}

// The stream format has no checksums: what a change makes of it may be another valid file, but
// never a crash, and never tensors outside of it.
TEST_F(Mutation, OfALegacyFileIsRefusedOrReadable) {
  whole_ = text_of(FlowRun::golden("torch_file/legacy.4.pt"));
  for (std::size_t i = 0; i < whole_.size(); ++i) {
    std::string bytes = whole_;
    bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
    try {
      digests_of(read(bytes)->source);
    } catch (const Error& error) {
      EXPECT_NE(error.code(), CKB_INTERNAL) << error.what();
    }
  }
}

// Nothing in these files says whose rank they are; digests of the checkpoint as it was do.
TEST(SwappedRankFiles, AreFoundByTheDigests) {
  const FlowRun flow;
  const auto golden = FlowRun::golden("zero1/z1_mp8/global_step10");
  for (int rank = 0; rank < 8; ++rank) {
    const std::string name = "/mp_rank_0" + std::to_string(rank) + "_model_states.pt";
    const std::string other =
        "/mp_rank_0" + std::to_string(rank ^ (rank < 2 ? 1 : 0)) + "_model_states.pt";
    flow.folder().write("right" + name, text_of(golden.string() + name));
    flow.folder().write("wrong" + name, text_of(golden.string() + other));
  }
  const auto verify = [&](const std::string& checkpoint, const DigestList& list) {
    const Input input{flow.folder() / checkpoint, flow.folder().path(), "", "", {}};
    return verify_against_digests(flow.registry(), input, {}, list);
  };
  const auto run = flow.read(flow.folder() / "right");
  const DigestList list = make_digest_list(
      with_known_partition(run->source, run->source.graph, "test"), make_buffers({}), {});
  EXPECT_TRUE(verify("right", list).differences.empty());
  EXPECT_FALSE(verify("wrong", list).differences.empty());
}

}  // namespace
}  // namespace ckptbridge
