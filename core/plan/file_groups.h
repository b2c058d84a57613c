// Which source files are read side by side: those that hold parts of the same rows, as all
// model-parallel ranks of one data-parallel rank do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ckptbridge/plugin.h"

namespace ckptbridge {

// Source files that are read side by side at most; as many can stay open with `ulimit -n` 256.
constexpr std::size_t kFilesAtOnce = 64;

class FileGroups {
 public:
  // Tells that two files hold parts of the same rows. File 0 and equal files count for nothing.
  void add(ckb_file a, ckb_file b, std::uint64_t bytes);

  // By file: the smallest file of its group; files behind the last are their own group. The files
  // that share most come together first, and no group has more than `most` files.
  std::vector<ckb_file> numbers(std::size_t most) const;

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> shared_;  // bytes by pair, the smaller first
};

}  // namespace ckptbridge
