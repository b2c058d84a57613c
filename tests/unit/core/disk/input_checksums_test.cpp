#include "core/disk/input_checksums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "core/bytes/crc32.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Matcher;

// A file of 100,000 bytes, of which those from 1,000 on say what their CRC-32 is.
class Checksums : public testing::Test {
 protected:
  static constexpr std::uint64_t kBegin = 1000;

  Checksums() {
    for (std::size_t i = 0; i < 100'000; ++i) bytes_ += static_cast<char>(i * 40503u >> 7);
    folder_.write("file", bytes_);
    const std::string name = "file";
    file_ = sources_.open(std::span(&name, 1));
    expect(ckptbridge::crc32(part(kBegin, bytes_.size())));
  }

  void expect(std::uint32_t crc) {
    checksums_.expect(file_, kBegin, bytes_.size() - kBegin, crc, "record data/3");
  }
  std::span<const std::byte> part(std::uint64_t begin, std::uint64_t end) const {
    return std::as_bytes(std::span(bytes_)).subspan(begin, end - begin);
  }
  Matcher<const StorageCheck&> check(bool is_done) const {
    return AllOf(Field(&StorageCheck::file, file_), Field(&StorageCheck::offset, kBegin),
                 Field(&StorageCheck::is_done, is_done));
  }
  void pass(std::uint64_t begin, std::uint64_t end) {
    checksums_.add(sources_, file_, begin, part(begin, end));
  }

  TempFolder folder_;
  InputFiles sources_{folder_.path()};
  std::string bytes_;
  ckb_file file_ = 0;
  InputChecksums checksums_;
};

TEST_F(Checksums, AreCheckedWhenAllHasComeByInWhateverOrder) {
  pass(50'000, 100'000);
  pass(0, 20'000);
  EXPECT_EQ(checksums_.checked(), 0u);
  pass(20'000, 50'000);
  EXPECT_EQ(checksums_.checked(), 1u);
}

TEST_F(Checksums, CountBytesOnceThatComeByAgain) {
  pass(0, 30'000);
  pass(10'000, 40'000);
  pass(60'000, 70'000);
  pass(0, 30'000);
  pass(35'000, 90'000);
  pass(80'000, 100'000);
  EXPECT_EQ(checksums_.checked(), 1u);
  pass(0, 100'000);
  EXPECT_EQ(checksums_.checked(), 1u);
}

TEST_F(Checksums, NameFileAndStorageWhereABitIsWrong) {
  bytes_[77'777] ^= 4;
  pass(0, 60'000);
  const Error error = thrown_by([&] { pass(60'000, 100'000); });
  EXPECT_THAT(error.what(), HasSubstr("file: record data/3 was changed after it was written: the "
                                      "CRC-32 of its 99000 bytes at 1000 is "));
  EXPECT_EQ(error.about().file, sources_.name(file_));
  EXPECT_THAT(error.about().hint, HasSubstr("--ignore-checksums"));
  EXPECT_EQ(checksums_.checked(), 0u);
}

TEST_F(Checksums, AreCollectedOfFilesThatAreToBeJudged) {
  checksums_.collect();
  bytes_[5000] ^= 1;
  pass(0, 100'000);
  ASSERT_EQ(checksums_.wrong().size(), 1u);
  const auto& [place, wrong] = *checksums_.wrong().begin();
  EXPECT_EQ(place, std::pair(file_, kBegin));
  EXPECT_EQ(wrong.file, sources_.name(file_));
  EXPECT_THAT(wrong.text, HasSubstr("record data/3"));
}

TEST_F(Checksums, AreFinishedByReadingTheLittleThatIsLeft) {
  pass(1001, 60'000);
  pass(61'000, 98'999);
  const std::uint64_t read = sources_.bytes_read();
  checksums_.finish(sources_);
  EXPECT_EQ(checksums_.checked(), 1u);
  EXPECT_EQ(sources_.bytes_read() - read, 1u + 1000 + 1001);
}

TEST_F(Checksums, AreLeftWhereMuchWasNotAskedFor) {
  pass(1000, 50'000);
  checksums_.finish(sources_);
  EXPECT_EQ(checksums_.checked(), 0u);
  EXPECT_EQ(sources_.bytes_read(), 0u);
}

TEST_F(Checksums, GoOnWithWhatAnEarlierRunHadBegun) {
  EXPECT_THAT(checksums_.take_news(), IsEmpty());
  pass(2000, 50'000);
  pass(1000, 2000);
  const auto begun = checksums_.take_news();
  EXPECT_THAT(begun, ElementsAre(check(false)));
  EXPECT_THAT(checksums_.take_news(), IsEmpty());

  InputChecksums later;
  later.expect(file_, kBegin, 99'000, crc32(part(kBegin, 100'000)) ^ 1, "record data/3");
  later.go_on(begun);
  EXPECT_THAT(error_of([&] { later.finish(sources_); }), HasSubstr("record data/3"));
  EXPECT_THAT(later.take_news(), ElementsAre(check(false))) << "what is wrong is not done";
}

TEST_F(Checksums, DoNotReadAgainWhatAnEarlierRunHasChecked) {
  pass(0, 100'000);
  const auto checked = checksums_.take_news();
  EXPECT_THAT(checked, ElementsAre(check(false), check(true)));

  InputChecksums later;
  later.expect(file_, kBegin, 99'000, 1, "record data/3");
  later.go_on(checked);
  later.finish(sources_);
  EXPECT_EQ(sources_.bytes_read(), 0u);
  EXPECT_EQ(later.checked(), 1u);
}

TEST_F(Checksums, GoOnWithoutStoragesThatAreNotThere) {
  const StorageCheck other{file_ + 1, 12, false};
  checksums_.go_on(std::span(&other, 1));
  checksums_.finish(sources_);
  EXPECT_EQ(sources_.bytes_read(), 0u);
}

TEST_F(Checksums, OfWhatNobodyReadsAreNotRead) {
  checksums_.finish(sources_);
  EXPECT_EQ(sources_.bytes_read(), 0u);
}

TEST_F(Checksums, AreNotKeptOfWhatComesInCountlessPieces) {
  for (std::uint64_t at = kBegin; at < 50'000; at += 2) pass(at, at + 1);
  checksums_.finish(sources_);
  pass(0, 100'000);
  EXPECT_EQ(checksums_.checked(), 0u);
}

TEST_F(Checksums, CanBeIgnoredOrLeftOut) {
  checksums_.leave_out(std::vector{std::pair(file_, std::uint64_t{kBegin})});
  bytes_[5000] ^= 1;
  pass(0, 100'000);
  InputChecksums ignored;
  ignored.ignore();
  ignored.expect(file_, 0, 100'000, 1, "record data/0");
  ignored.add(sources_, file_, 0, part(0, 100'000));
  EXPECT_EQ(checksums_.checked() + ignored.checked(), 0u);
}

}  // namespace
}  // namespace ckptbridge
