#include "core/disk/output_files.h"

#include <csignal>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(OutputFiles, AreWrittenInAnyOrderBelowFoldersThatTheyMake) {
  TempFolder folder;
  OutputFiles files(folder.path());
  const uint32_t a = files.create("weights/deep/a", 6);
  const uint32_t b = files.create("b", 0);
  EXPECT_EQ(files.create("weights/c", 3), 2u);
  files.write(a, 3, bytes_of("def"));
  files.write(a, 0, bytes_of("ab"));
  files.write(b, 0, {});
  files.sync_all();
  EXPECT_EQ(TempFolder::text_of(folder / "weights/deep/a"), std::string("ab\0def", 6));
  EXPECT_EQ(TempFolder::text_of(folder / "weights/c"), std::string(3, '\0'));
  EXPECT_EQ(fs::file_size(folder / "b"), 0u);
  EXPECT_EQ(files.bytes_written(), 5u);
  EXPECT_EQ(files.count(), 3u);
  EXPECT_EQ(files.path(a), "weights/deep/a");
}

TEST(OutputFiles, RefusePathsThatLeaveTheFolder) {
  TempFolder folder;
  OutputFiles files(folder / "");
  const std::vector<std::string> bad = {"",
                                        "/etc/x",
                                        "..",
                                        "a/../b",
                                        "../a",
                                        "a//b",
                                        "a/",
                                        "./a",
                                        "a/.",
                                        "a\\b",
                                        "a\nb",
                                        "\x1b[m",
                                        "a\x7f",
                                        std::string("a\0b", 3),
                                        "a/..",
                                        "/",
                                        std::string(256, 'x'),
                                        std::string(5000, 'x')};
  for (const std::string& path : bad) {
    EXPECT_THAT(error_of([&] { files.create(path, 1); }), StartsWith("1: output path \"")) << path;
  }
  EXPECT_TRUE(folder.tree().empty());
  files.create("...", 1);
  files.create("a..b/ü ~", 1);
}

TEST(OutputFiles, RefuseTwoFilesOfOnePath) {
  TempFolder folder;
  OutputFiles files(folder.path());
  files.create("a/b", 1);
  EXPECT_THAT(error_of([&] { files.create("a/b", 1); }), HasSubstr("asked for twice"));
  EXPECT_THAT(error_of([&] { files.create("a", 1); }), HasSubstr("is a folder of another"));
  EXPECT_THAT(error_of([&] { files.create("a/b/c", 1); }), HasSubstr("below another output file"));
}

TEST(OutputFiles, RefuseToGrow) {
  TempFolder folder;
  OutputFiles files(folder.path());
  const uint32_t file = files.create("a", 4);
  EXPECT_THAT(error_of([&] { files.write(file, 2, bytes_of("abc")); }), StartsWith("7: a: "));
  EXPECT_THAT(error_of([&] { files.write(file, UINT64_MAX, bytes_of("abc")); }), StartsWith("7: "));
  EXPECT_THAT(error_of([&] { files.write(file + 1, 0, bytes_of("a")); }), StartsWith("7: "));
  EXPECT_THAT(error_of([&] { files.create("b", UINT64_MAX); }),
              AllOf(StartsWith("5: "), HasSubstr("/b: ")));
}

TEST(OutputFiles, NameTheFileThatTheDiskDoesNotTake) {
  TempFolder folder;
  OutputFiles files(folder.path());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of([&] { files.create("weights/a", 5000); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(error, AllOf(StartsWith("5: "), HasSubstr("weights/a: "), HasSubstr("ulimit -f")));
}

TEST(OutputFiles, AreWrittenByThreadsWithFewDescriptors) {
  constexpr uint32_t kFiles = 50;
  constexpr uint32_t kParts = 40;
  TempFolder folder;
  OutputFiles files(folder.path(), 4);
  for (uint32_t i = 0; i < kFiles; ++i) files.create("w/" + std::to_string(i), kParts * 4);
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint32_t i = thread; i < kFiles * kParts; i += 4) {
        const uint32_t file = i * 7 % kFiles;
        const uint32_t part = i / kFiles;
        const uint32_t value = file * 1000 + part;
        files.write(file, part * 4, std::as_bytes(std::span(&value, 1)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  files.sync_all();
  EXPECT_EQ(files.bytes_written(), kFiles * kParts * 4);
  for (uint32_t file = 0; file < kFiles; ++file) {
    const std::string text = TempFolder::text_of(folder / ("w/" + std::to_string(file)));
    for (uint32_t part = 0; part < kParts; ++part) {
      uint32_t value = 0;
      text.copy(reinterpret_cast<char*>(&value), 4, part * 4);
      ASSERT_EQ(value, file * 1000 + part);
    }
  }
}

}  // namespace
}  // namespace ckptbridge
