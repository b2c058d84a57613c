#include "core/graph/storages.h"

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {

void Storages::add(ckb_file file, std::uint64_t offset, std::uint64_t size,
                   const std::string& name) {
  if (size == 0) return;
  const auto next = storages_.lower_bound({file, offset});
  if (next != storages_.end() && next->first == std::pair(file, offset) &&
      next->second.size == size) {
    return;
  }
  const auto clash = [&](Map::const_iterator other) {
    throw Error(
        CKB_CORRUPT,
        fmt::format("{}: tensor data at [{}, {}) overlaps that at [{}, {})", name, offset,
                    offset + size, other->first.second, other->first.second + other->second.size),
        {.file = name});
  };
  if (next != storages_.end() && next->first.first == file && next->first.second < offset + size) {
    clash(next);
  }
  if (next != storages_.begin()) {
    const auto before = std::prev(next);
    if (before->first.first == file && before->first.second + before->second.size > offset) {
      clash(before);
    }
  }
  storages_.emplace(std::pair(file, offset), Storage{size, {}});
}

Storages::Map::iterator Storages::find(ckb_file file, std::uint64_t offset, std::uint64_t size) {
  auto it = storages_.upper_bound({file, offset});
  if (it == storages_.begin()) return storages_.end();
  --it;
  const bool inside = it->first.first == file && offset - it->first.second <= it->second.size &&
                      size <= it->second.size - (offset - it->first.second);
  return inside ? it : storages_.end();
}

}  // namespace ckptbridge
