#include "core/plan/file_groups.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ckptbridge {

void FileGroups::add(ckb_file a, ckb_file b, std::uint64_t bytes) {
  if (a == 0 || b == 0 || a == b) return;
  shared_[std::uint64_t{std::min(a, b)} << 32 | std::max(a, b)] += bytes;
}

std::vector<ckb_file> FileGroups::numbers(std::size_t most) const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs(shared_.begin(), shared_.end());
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  ckb_file last = 0;
  for (const auto& [pair, bytes] : pairs) last = std::max(last, static_cast<ckb_file>(pair));
  std::vector<ckb_file> group(last + std::size_t{1});
  std::iota(group.begin(), group.end(), ckb_file{0});
  std::vector<std::size_t> sizes(group.size(), 1);
  const auto root = [&](ckb_file file) {
    while (group[file] != file) file = group[file] = group[group[file]];
    return file;
  };
  for (const auto& [pair, bytes] : pairs) {
    ckb_file a = root(static_cast<ckb_file>(pair >> 32));
    ckb_file b = root(static_cast<ckb_file>(pair));
    if (a == b || sizes[a] + sizes[b] > most) continue;
    if (b < a) std::swap(a, b);
    group[b] = a;
    sizes[a] += sizes[b];
  }
  for (ckb_file file = 0; file < group.size(); ++file) group[file] = root(file);
  return group;
}

}  // namespace ckptbridge
