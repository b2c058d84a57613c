// Plans and executes a layout over source files that a test makes.
#pragma once

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <sys/mman.h>

#include "core/execute/execute.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

// Pages of a file, or of all files in a folder, that are in the page cache.
inline std::size_t resident_pages(const boost::filesystem::path& path) {
  if (boost::filesystem::is_directory(path)) {
    std::size_t pages = 0;
    for (const auto& entry : boost::filesystem::directory_iterator(path)) {
      pages += resident_pages(entry.path());
    }
    return pages;
  }
  constexpr std::size_t kPage = 4096;
  const std::size_t size = boost::filesystem::file_size(path);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  EXPECT_NE(mapped, MAP_FAILED) << path;
  std::vector<unsigned char> pages((size + kPage - 1) / kPage);
  EXPECT_EQ(::mincore(mapped, size, pages.data()), 0) << path;
  ::munmap(mapped, size);
  return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; }));
}

class ExecuteRun {
 public:
  // Makes source files of so many 16-bit words; all differ from their neighbours.
  ExecuteRun(ckb_file files, std::size_t words, std::size_t open_files = 0)
      : arena(InputFiles(folder_.path(), open_files)) {
    for (ckb_file file = 1; file <= files; ++file) {
      std::string bytes(words * 2, '\0');
      for (std::size_t i = 0; i < words; ++i) {
        const std::uint16_t value = word(file, i);
        std::memcpy(bytes.data() + i * 2, &value, 2);
      }
      const std::string name = "source" + std::to_string(file);
      folder_.write(name, bytes);
      arena.sources.open(std::span(&name, 1));
    }
  }

  static std::uint16_t word(ckb_file file, std::size_t index) {
    return static_cast<std::uint16_t>((index * 40503u) ^ (index >> 16) ^ (file * 7919u));
  }

  // Else their pages cannot be dropped.
  void sync_sources() const {
    for (ckb_file file = 1; file <= arena.sources.count(); ++file) {
      const int opened = ::open(arena.sources.name(file).c_str(), O_RDWR | O_CLOEXEC);
      EXPECT_EQ(::fsync(opened), 0);
      ::close(opened);
    }
  }

  ckb_node extent(ckb_file file, std::uint64_t offset, std::vector<std::int64_t> shape) {
    return arena.nodes.add_extent(file, offset, kFloat16, shape, {});
  }
  // Adds a file that holds one value.
  void put(const std::string& path, ckb_node value) {
    layout.put_value(layout.add_file(path, arena.nodes.size(value)), 0, value, arena.nodes);
  }

  // The bytes of all output files. The layout must be finished.
  std::vector<std::string> execute(const Limits& limits = {}, bool drop_behind = false) {
    folder = folder_ / ("out" + std::to_string(runs_++));
    boost::filesystem::create_directories(folder);
    OutputFiles output(folder);
    for (const OutputFile& file : layout.files()) output.create(file.path, file.size);
    const Plan plan = make_plan(arena.nodes, layout, limits);
    const std::uint64_t read = arena.sources.bytes_read();
    const std::uint64_t opened = arena.sources.opens();
    ckptbridge::execute(arena, layout, plan, output, drop_behind, {});
    bytes_read = arena.sources.bytes_read() - read;
    opens = arena.sources.opens() - opened;
    if (drop_behind) resident = resident_pages(folder) + resident_pages(arena.sources.name(1));
    std::vector<std::string> contents;
    for (const OutputFile& file : layout.files()) {
      contents.push_back(TempFolder::text_of(folder / file.path));
    }
    return contents;
  }

 private:
  TempFolder folder_;
  int runs_ = 0;

 public:
  Arena arena;
  Layout layout;
  // Of the last execute().
  boost::filesystem::path folder;
  std::uint64_t bytes_read = 0;
  std::uint64_t opens = 0;
  std::size_t resident = 0;  // pages of the first source and of all outputs, in the page cache
};

}  // namespace ckptbridge
