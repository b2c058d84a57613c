#include "core/commit/journal.h"

#include <thread>

#include <gmock/gmock.h>

#include "core/bytes/crc32.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

bool operator==(const MadeRange& a, const MadeRange& b) {
  return a.file == b.file && a.begin == b.begin && a.size == b.size;
}
bool operator==(const ChecksumPart& a, const ChecksumPart& b) {
  return a.file == b.file && a.range == b.range && a.begin == b.begin && a.size == b.size &&
         a.crc == b.crc;
}

namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t kNever = UINT64_MAX;

const JournalHead kHead = {
    {"1, toy 2", "digest", {{"/in/a\nb", 5, -7}, {"/in/c", 6, 8}}}, 2000, {3, 70'000}};

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    fs::create_directory(folder_ / "output");
    output_.emplace(folder_ / "output");
    output_->create("sub/a", 1000);
    output_->create("b", 1000);
  }

  Journal begin(std::uint64_t interval, Made made = {}) {
    return {folder_.path(), kHead, *output_, checks_, interval, std::move(made)};
  }
  static void add(Journal& journal, std::uint32_t file, std::uint64_t begin, std::uint32_t size,
                  std::uint32_t crc = 0) {
    const OutputRange range{begin, size, file, 0};
    const ChecksumPart part{file, 0, begin, size, crc};
    journal.add(std::span(&range, 1), std::span(&part, 1));
  }
  JournalContent read() const { return read_journal(folder_.path()).value_or(JournalContent()); }
  std::uint64_t size() const { return fs::file_size(folder_ / "journal"); }

  TempFolder folder_;
  std::optional<OutputFiles> output_;
  InputChecksums checks_;
};

TEST_F(JournalTest, TellsWhatItIsOf) {
  begin(kNever);
  const JournalContent content = read();
  EXPECT_EQ(content.head.identity, kHead.identity);
  EXPECT_EQ(content.head.total, 2000u);
  EXPECT_THAT(content.head.unequal, ElementsAre(3, 70'000));
  EXPECT_EQ(content.inode, folder_inode(folder_ / "output"));
  EXPECT_THAT(content.made.ranges, IsEmpty());
}

TEST_F(JournalTest, TellsWhatIsMadeAtACheckpointAndNotBefore) {
  Journal journal = begin(kNever);
  add(journal, 1, 10, 5, 77);
  EXPECT_THAT(read().made.ranges, IsEmpty());
  EXPECT_EQ(journal.made(), 0u);
  journal.checkpoint();
  EXPECT_THAT(read().made.ranges, ElementsAre(MadeRange{1, 10, 5}));
  EXPECT_THAT(read().made.parts, ElementsAre(ChecksumPart{1, 0, 10, 5, 77}));
  EXPECT_EQ(journal.made(), 5u);
}

TEST_F(JournalTest, HasACheckpointAfterEveryInterval) {
  Journal journal = begin(10);
  add(journal, 0, 0, 9);
  EXPECT_EQ(read().made.size(), 0u);
  add(journal, 0, 9, 1);
  EXPECT_EQ(read().made.size(), 10u);
  add(journal, 1, 0, 25);
  EXPECT_EQ(read().made.size(), 35u);
}

TEST_F(JournalTest, JoinsWhatLiesSideBySideAndItsChecksums) {
  const std::string text = "abcdefgh";
  const auto bytes = std::as_bytes(std::span(text));
  Journal journal = begin(kNever);
  add(journal, 0, 104, 4, crc32(bytes.subspan(4)));
  add(journal, 0, 100, 4, crc32(bytes.first(4)));
  add(journal, 0, 110, 1, 5);
  journal.checkpoint();
  EXPECT_THAT(read().made.ranges, ElementsAre(MadeRange{0, 100, 8}, MadeRange{0, 110, 1}));
  EXPECT_THAT(read().made.parts,
              ElementsAre(ChecksumPart{0, 0, 100, 8, crc32(bytes)}, ChecksumPart{0, 0, 110, 1, 5}));
}

TEST_F(JournalTest, TellsHowFarStoragesOfSourcesAreChecked) {
  folder_.write("source", "12345678");
  InputFiles sources(folder_.path());
  const std::string name = "source";
  const ckb_file source = sources.open(std::span(&name, 1));
  const std::string text = "12345678";
  const auto bytes = std::as_bytes(std::span(text));
  checks_.expect(source, 0, 4, crc32(bytes.first(4)), "record data/0");
  checks_.expect(source, 4, 4, crc32(bytes.subspan(4)), "record data/1");

  Journal journal = begin(1);
  checks_.add(sources, source, 2, bytes.subspan(2));
  add(journal, 0, 0, 10);
  const auto first = read().made.storages;
  checks_.add(sources, source, 0, bytes.first(2));
  add(journal, 0, 10, 10);
  const auto storages = read().made.storages;
  const auto check = [&](std::uint64_t offset, bool is_done) {
    return AllOf(Field(&StorageCheck::file, source), Field(&StorageCheck::offset, offset),
                 Field(&StorageCheck::is_done, is_done));
  };
  EXPECT_THAT(first, ElementsAre(check(0, false), check(4, false), check(4, true)));
  EXPECT_THAT(storages,
              ElementsAre(check(0, false), check(4, false), check(4, true), check(0, true)));
}

TEST_F(JournalTest, GoesOnFromWhatWasMade) {
  {
    Journal journal = begin(kNever);
    add(journal, 0, 0, 10);
    journal.checkpoint();
  }
  Journal journal = begin(kNever, read().made);
  EXPECT_EQ(journal.made(), 10u);
  add(journal, 1, 0, 10);
  journal.checkpoint();
  EXPECT_THAT(read().made.ranges, UnorderedElementsAre(MadeRange{0, 0, 10}, MadeRange{1, 0, 10}));
}

TEST_F(JournalTest, IsAsLongAsItsWholeBlocksWhereverItIsCut) {
  std::vector<std::uint64_t> ends;
  {
    Journal journal = begin(1);
    ends.push_back(size());
    for (std::uint64_t i = 0; i < 3; ++i) {
      add(journal, 0, i * 100, 10);
      ends.push_back(size());
    }
  }
  const std::string whole = TempFolder::text_of(folder_ / "journal");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    folder_.write("journal", whole.substr(0, cut));
    const auto content = read_journal(folder_.path());
    ASSERT_EQ(content.has_value(), cut >= ends[0]) << cut;
    if (!content) continue;
    const auto blocks =
        std::count_if(ends.begin() + 1, ends.end(), [&](std::uint64_t end) { return end <= cut; });
    EXPECT_EQ(content->made.ranges.size(), static_cast<std::size_t>(blocks)) << cut;
  }
}

TEST_F(JournalTest, PassesOverABlockInWhichAByteIsWrong) {
  {
    Journal journal = begin(1);
    add(journal, 0, 0, 10);
  }
  const std::uint64_t first = size();
  {
    Journal journal = begin(1, read().made);
    ASSERT_EQ(size(), first);
    add(journal, 0, 100, 10);
  }
  const std::string whole = TempFolder::text_of(folder_ / "journal");
  for (std::size_t at = first; at < whole.size(); ++at) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
    folder_.write("journal", wrong);
    EXPECT_THAT(read().made.ranges, ElementsAre(MadeRange{0, 0, 10})) << at;
  }
}

TEST_F(JournalTest, IsNoneIfItIsNotOurs) {
  EXPECT_FALSE(read_journal(folder_.path()));
  for (const char* text : {"", "x", "precious, and longer than the head of a block is"}) {
    folder_.write("journal", text);
    EXPECT_FALSE(read_journal(folder_.path()));
  }
}

TEST_F(JournalTest, TakesRangesFromThreadsSideBySide) {
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kRanges = 50;
  Journal journal = begin(64);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::uint64_t i = 0; i < kRanges; ++i) {
          const std::uint64_t at = (i * kThreads + thread) * 2;
          const std::byte data[2] = {};
          output_->write(0, at, data);
          add(journal, 0, at, 2);
        }
      });
    }
  }
  journal.checkpoint();
  EXPECT_EQ(journal.made(), kThreads * kRanges * 2);
  EXPECT_EQ(read().made.size(), kThreads * kRanges * 2);
}

}  // namespace
}  // namespace ckptbridge
