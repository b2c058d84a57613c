// The order in which ranges of sources are read: each file is opened about once, and read forward.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "core/plan/file_groups.h"

namespace ckptbridge {

// Sorts items by the group of files that they read from, then by their place in the file (so that
// files of one group are read side by side), then by the file. An item has the members `file` and
// `source` (bytes from the beginning of the file); tie(item) is compared where these are equal.
template <class Item, class Tie>
void sort_for_reading(std::vector<Item>& items, const FileGroups& groups, const Tie& tie) {
  const std::vector<ckb_file> group = groups.numbers(kFilesAtOnce);
  const auto key = [&](const Item& item) {
    const ckb_file number = item.file < group.size() ? group[item.file] : item.file;
    return std::tuple(number, item.source, item.file, tie(item));
  };
  std::sort(items.begin(), items.end(),
            [&](const Item& a, const Item& b) { return key(a) < key(b); });
}

}  // namespace ckptbridge
