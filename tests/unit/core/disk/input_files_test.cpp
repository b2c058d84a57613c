#include "core/disk/input_files.h"

#include <random>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

uint32_t open_one(InputFiles& sources, const std::string& path) {
  return sources.open(std::vector<std::string>{path});
}

std::string read_text(const InputFiles& sources, uint32_t id, uint64_t offset, size_t size) {
  std::string text(size, '\0');
  sources.read(id, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

// Differs from file to file and from byte to byte.
char byte_at(size_t file, size_t offset) {
  return static_cast<char>((file * 131 + offset * 7 + offset / 251) & 0xff);
}

TEST(InputFiles, ReadRangesAcrossPieces) {
  TempFolder folder;
  folder.write("x.part0", "abc");
  folder.write("x.part1", "");
  folder.write("x.part2", "defgh");
  folder.write("x.part3", "");
  InputFiles sources(folder.path());
  const uint32_t id =
      sources.open(std::vector<std::string>{"x.part0", "x.part1", "x.part2", "x.part3"});
  EXPECT_EQ(id, 1u);
  EXPECT_EQ(sources.size(id), 8u);
  EXPECT_EQ(sources.name(id), (folder / "x.part0").string());
  EXPECT_EQ(sources.pieces(id).size(), 4u);
  const std::string whole = "abcdefgh";
  for (size_t from = 0; from <= whole.size(); ++from) {
    for (size_t size = 0; from + size <= whole.size(); ++size) {
      EXPECT_EQ(read_text(sources, id, from, size), whole.substr(from, size));
    }
  }
}

TEST(InputFiles, GiveTheSamePiecesTheSameId) {
  TempFolder folder;
  folder.write("a", "1");
  folder.write("b", "2");
  InputFiles sources(folder.path());
  const uint32_t a = open_one(sources, "a");
  const uint32_t both = sources.open(std::vector<std::string>{"a", "b"});
  EXPECT_NE(a, both);
  EXPECT_NE(sources.open(std::vector<std::string>{"b", "a"}), both);
  EXPECT_EQ(open_one(sources, "./a"), a);
  EXPECT_EQ(open_one(sources, (folder / "a").string()), a);
  EXPECT_EQ(sources.opens(), 2u);
}

TEST(InputFiles, RefuseARangeThatIsNotInTheFile) {
  TempFolder folder;
  folder.write("a", "12345");
  InputFiles sources(folder.path());
  const uint32_t id = open_one(sources, "a");
  EXPECT_THAT(
      error_of([&] { read_text(sources, id, 3, 3); }),
      AllOf(StartsWith("3: "), HasSubstr("/a: 3 bytes at 3 are asked for, the file has 5")));
  EXPECT_THAT(error_of([&] { read_text(sources, id, UINT64_MAX, 2); }), StartsWith("3: "));
  EXPECT_THAT(error_of([&] { read_text(sources, 2, 0, 1); }), StartsWith("7: input file 2"));
  EXPECT_THAT(error_of([&] { sources.size(0); }), StartsWith("7: "));
}

TEST(InputFiles, RefuseWhatIsNoFileBelowTheRoot) {
  TempFolder folder;
  folder.write("sub/file", "1");
  InputFiles sources(folder / "sub");
  const auto refusal = [&](const std::string& path) {
    return error_of([&] { open_one(sources, path); });
  };
  EXPECT_THAT(refusal("missing"), AllOf(StartsWith("2: "), HasSubstr("/sub/missing: ")));
  EXPECT_THAT(refusal("file/below"), StartsWith("2: "));
  EXPECT_THAT(refusal("."), AllOf(StartsWith("2: "), HasSubstr("is a folder")));
  EXPECT_THAT(refusal("../sub/file"), AllOf(StartsWith("1: "), HasSubstr("leaves")));
  EXPECT_THAT(refusal("x/../file"), StartsWith("1: "));
  EXPECT_THAT(refusal(""), StartsWith("1: "));
  EXPECT_THAT(refusal(std::string("file\0x", 6)), StartsWith("1: "));
  EXPECT_THAT(refusal("/dev/null"), AllOf(StartsWith("2: "), HasSubstr("no regular file")));
  EXPECT_THAT(error_of([&] { sources.open({}); }), StartsWith("1: "));
}

TEST(InputFiles, FollowLinksAsInACacheOfHuggingFace) {
  TempFolder folder;
  folder.write("blobs/0123", "text");
  fs::create_directories(folder / "snapshots/main");
  fs::create_symlink("../../blobs/0123", folder / "snapshots/main/model.pt");
  fs::create_symlink("../../blobs/none", folder / "snapshots/main/gone.pt");
  InputFiles sources(folder / "snapshots/main");
  EXPECT_EQ(read_text(sources, open_one(sources, "model.pt"), 0, 4), "text");
  EXPECT_THAT(error_of([&] { open_one(sources, "gone.pt"); }), StartsWith("2: "));
}

TEST(InputFiles, NameFilesAsTheUserWouldWriteThem) {
  TempFolder folder;
  folder.write("in/a", "1");
  const fs::path in = fs::relative(folder / "in");
  InputFiles sources(in);
  EXPECT_EQ(sources.name(open_one(sources, "a")), (in / "a").string());
  InputFiles here(".");
  EXPECT_EQ(here.name(open_one(here, (in / "a").string())), (in / "a").string());
}

TEST(InputFiles, NoticeAFileThatGotShorterWhileItWasRead) {
  TempFolder folder;
  const fs::path path = folder.write("a", "0123456789");
  InputFiles sources(folder.path());
  const uint32_t id = open_one(sources, "a");
  sources.require_unchanged();
  ASSERT_EQ(::truncate(path.c_str(), 4), 0);
  EXPECT_EQ(read_text(sources, id, 0, 4), "0123");
  EXPECT_THAT(error_of([&] { read_text(sources, id, 2, 5); }),
              AllOf(StartsWith("5: "), HasSubstr("/a: changed while it was read"),
                    HasSubstr("ends at 4, before at 10")));
  EXPECT_THAT(error_of([&] { sources.require_unchanged(); }),
              AllOf(StartsWith("5: "), HasSubstr("4 bytes, before 10")));
}

TEST(InputFiles, NoticeAFileThatWasReplacedOrWrittenOrRemoved) {
  TempFolder folder;
  const fs::path path = folder.write("a", "0123");
  InputFiles sources(folder.path());
  open_one(sources, "a");
  folder.write("b", "4567");
  fs::rename(folder / "b", path);
  EXPECT_THAT(error_of([&] { sources.require_unchanged(); }), HasSubstr("another file"));
  fs::remove(path);
  EXPECT_THAT(error_of([&] { sources.require_unchanged(); }),
              AllOf(StartsWith("5: "), HasSubstr("gone")));

  const fs::path other = folder.write("c", "0123");
  InputFiles again(folder.path());
  open_one(again, "c");
  fs::last_write_time(other, 1'000'000'000);
  EXPECT_THAT(error_of([&] { again.require_unchanged(); }), HasSubstr("written to"));
}

TEST(InputFiles, NoticeAChangeWhenAFileIsOpenedAgain) {
  TempFolder folder;
  folder.write("a", "0123");
  folder.write("b", "0123");
  InputFiles sources(folder.path(), 1);
  const uint32_t a = open_one(sources, "a");
  open_one(sources, "b");
  folder.write("a", "012345");
  EXPECT_THAT(error_of([&] { read_text(sources, a, 0, 1); }),
              AllOf(StartsWith("5: "), HasSubstr("/a: changed while it was read")));
}

TEST(InputFiles, OpenEachFileOnceIfTheyAreReadInOrder) {
  TempFolder folder;
  InputFiles sources(folder.path(), 4);
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    folder.write(name, "0123456789");
    const uint32_t id = open_one(sources, name);
    for (uint64_t at = 0; at < 10; ++at) read_text(sources, id, at, 1);
  }
  EXPECT_EQ(sources.opens(), 20u);
  EXPECT_EQ(sources.bytes_read(), 200u);
}

TEST(InputFiles, ServeThreadsWithFewerDescriptorsThanFiles) {
  constexpr size_t kFiles = 300;
  constexpr size_t kSize = 3000;
  constexpr size_t kReads = 2000;
  TempFolder folder;
  InputFiles sources(folder.path(), 4);
  const auto open_descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_descriptors();
  for (size_t file = 0; file < kFiles; ++file) {
    std::string text(kSize, '\0');
    for (size_t i = 0; i < kSize; ++i) text[i] = byte_at(file, i);
    folder.write(std::to_string(file), text);
    ASSERT_EQ(open_one(sources, std::to_string(file)), file + 1);
  }
  EXPECT_LE(open_descriptors() - before, 4);

  std::atomic<size_t> wrong{0};
  std::atomic<uint64_t> bytes{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (size_t i = 0; i < kReads; ++i) {
        // Half of the reads meet in a few files.
        const size_t file = random() % (i % 2 == 0 ? kFiles : 6);
        const size_t from = random() % kSize;
        const std::string text = read_text(sources, static_cast<uint32_t>(file + 1), from,
                                           random() % (kSize - from) + 1);
        bytes += text.size();
        for (size_t k = 0; k < text.size(); ++k) wrong += text[k] != byte_at(file, from + k);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(sources.bytes_read(), bytes);
  EXPECT_LE(open_descriptors() - before, 4 + 4);
  EXPECT_LE(sources.opens(), kFiles + 4 * kReads);
  EXPECT_GE(sources.opens(), 2 * kFiles);
  sources.require_unchanged();
}

TEST(InputFiles, KeepTheirFilesWhenTheyMove) {
  TempFolder folder;
  folder.write("a", "0123");
  InputFiles sources(folder.path());
  const uint32_t id = open_one(sources, "a");
  InputFiles moved = std::move(sources);
  EXPECT_EQ(read_text(moved, id, 1, 2), "12");
  moved.will_need(id, 0, 100);
  moved.will_need(id, 100, 1);
  EXPECT_EQ(read_text(moved, id, 1, 2), "12");
}

}  // namespace
}  // namespace ckptbridge
