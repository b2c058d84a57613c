// Plans and executes a layout over source files that a test makes.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core/execute.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

class ExecuteRun {
 public:
  // Makes source files of so many 16-bit words; all differ from their neighbours.
  ExecuteRun(ckb_file files, std::size_t words, std::size_t open_files = 0)
      : words_(words), arena(Sources(folder_.path(), open_files)) {
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

  ckb_node extent(ckb_file file, std::uint64_t offset, std::vector<std::int64_t> shape) {
    return arena.nodes.add_extent(file, offset, kFloat16, shape, {});
  }
  // Adds a file that holds one value.
  void put(const std::string& path, ckb_node value) {
    layout.put_value(layout.add_file(path, arena.nodes.size(value)), 0, value, arena.nodes);
  }

  // The bytes of all output files. The layout must be finished.
  std::vector<std::string> execute(const Limits& limits = {}) {
    const std::string place = "out" + std::to_string(runs_++);
    boost::filesystem::create_directories(folder_ / place);
    OutputFiles output(folder_ / place);
    for (const OutputFile& file : layout.files()) output.create(file.path, file.size);
    const Plan plan = make_plan(arena.nodes, layout, limits);
    const std::uint64_t read = arena.sources.bytes_read();
    const std::uint64_t opened = arena.sources.opens();
    ckptbridge::execute(arena, layout, plan, output, {});
    bytes_read = arena.sources.bytes_read() - read;
    opens = arena.sources.opens() - opened;
    writes_opened = output.opens();
    std::vector<std::string> contents;
    for (const OutputFile& file : layout.files()) {
      contents.push_back(TempFolder::text_of(folder_ / place / file.path));
    }
    return contents;
  }

 private:
  TempFolder folder_;
  std::size_t words_;
  int runs_ = 0;

 public:
  Arena arena;
  Layout layout;
  // Of the last execute().
  std::uint64_t bytes_read = 0;
  std::uint64_t opens = 0;
  std::uint64_t writes_opened = 0;
};

}  // namespace ckptbridge
