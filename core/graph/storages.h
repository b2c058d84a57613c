// The byte ranges that readers declared to hold tensor data, and which extents lie in them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ckptbridge/plugin.h"

namespace ckptbridge {

struct Storage {
  std::uint64_t size = 0;         // bytes
  std::vector<ckb_node> extents;  // made in it so far
};

class Storages {
 public:
  // (file, offset) → storage; in the order in which a reading head meets them.
  using Map = std::map<std::pair<ckb_file, std::uint64_t>, Storage>;

  // Declares a storage. The same range may be declared again; throws CORRUPT, naming the file
  // `name`, for one that overlaps another. An empty storage holds nothing to prove and is not kept.
  void add(ckb_file file, std::uint64_t offset, std::uint64_t size, const std::string& name);

  // Returns the declared storage that holds all of [offset, offset + size); end() if there is none.
  Map::iterator find(ckb_file file, std::uint64_t offset, std::uint64_t size);

  Map& all() { return storages_; }
  const Map& all() const { return storages_; }

 private:
  Map storages_;
};

}  // namespace ckptbridge
