#include "plugins/nemo2/tiling.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::nemo2 {
namespace {

// A grid is taken apart in as many levels as it has dims; nothing real needs many more.
constexpr int kMaxLevels = 128;

struct Box {
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> end;
};

class Assembler {
 public:
  Assembler(const std::string& name, const Concat& concat) : name_(name), concat_(concat) {}

  // tiles is not empty, and all of them lie in box.
  ckb_node value_of(const Box& box, std::span<Tile> tiles, int level) const {
    for (std::uint32_t dim = 0; dim < box.begin.size(); ++dim) {
      std::ranges::sort(tiles, {}, [&](const Tile& tile) { return tile.offsets[dim]; });
      const std::vector<std::size_t> cuts = cuts_along(box, tiles, dim);
      if (cuts.size() == 2) continue;
      if (level == kMaxLevels) break;
      std::vector<ckb_node> parts;
      for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        const auto part = tiles.subspan(cuts[i], cuts[i + 1] - cuts[i]);
        Box inner = box;
        inner.begin[dim] = part.front().offsets[dim];
        if (i + 2 < cuts.size()) inner.end[dim] = tiles[cuts[i + 1]].offsets[dim];
        parts.push_back(value_of(inner, part, level + 1));
      }
      return concat_(parts, dim);
    }
    if (tiles.size() > 1) refuse(tiles);
    return tiles.front().value;
  }

 private:
  // Where tiles, sorted along dim, can be cut so that none is cut: the first tile of each part, and
  // how many tiles there are. Throws where they do not reach from one side of the box to the other.
  std::vector<std::size_t> cuts_along(const Box& box, std::span<const Tile> tiles,
                                      std::uint32_t dim) const {
    std::vector<std::size_t> cuts;
    std::int64_t reached = box.begin[dim];
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      if (tiles[i].offsets[dim] > reached) throw_hole(box, dim, reached, tiles[i].offsets[dim]);
      if (tiles[i].offsets[dim] == reached) cuts.push_back(i);
      reached = std::max(reached, tiles[i].offsets[dim] + tiles[i].sizes[dim]);
    }
    if (reached < box.end[dim]) throw_hole(box, dim, reached, box.end[dim]);
    cuts.push_back(tiles.size());
    return cuts;
  }

  [[noreturn]] void throw_hole(Box box, std::uint32_t dim, std::int64_t begin,
                               std::int64_t end) const {
    box.begin[dim] = begin;
    box.end[dim] = end;
    throw Error(CKB_CORRUPT,
                fmt::format("{}: no chunk holds the elements from {} to {}: a file of "
                            "the checkpoint is missing or of another one",
                            name_, box.begin, box.end),
                {.tensor = name_});
  }

  [[noreturn]] void refuse(std::span<const Tile> tiles) const {
    const auto overlap = [](const Tile& a, const Tile& b) {
      for (std::size_t dim = 0; dim < a.offsets.size(); ++dim) {
        if (a.offsets[dim] >= b.offsets[dim] + b.sizes[dim] ||
            b.offsets[dim] >= a.offsets[dim] + a.sizes[dim]) {
          return false;
        }
      }
      return true;
    };
    // Enough to name two of them; the work stays small whatever the file says.
    const auto few = tiles.first(std::min<std::size_t>(tiles.size(), 1000));
    for (std::size_t i = 0; i < few.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (!overlap(few[i], few[j])) continue;
        throw Error(CKB_CORRUPT,
                    fmt::format("{}: the chunks of {} at {} and of {} at {} overlap", name_,
                                few[j].sizes, few[j].offsets, few[i].sizes, few[i].offsets),
                    {.tensor = name_});
      }
    }
    throw Error(CKB_UNSUPPORTED,
                fmt::format("{}: its {} chunks overlap, or interlock so that no straight cut "
                            "takes them apart",
                            name_, tiles.size()),
                {.tensor = name_});
  }

  const std::string& name_;
  const Concat& concat_;
};

}  // namespace

ckb_node assemble(const std::vector<std::int64_t>& shape, std::vector<Tile> tiles,
                  const std::string& name, const Concat& concat) {
  // A tile without elements has no place; savers with more ranks than rows write them.
  std::erase_if(tiles, [](const Tile& tile) { return std::ranges::count(tile.sizes, 0) > 0; });
  if (tiles.empty()) {
    throw Error(CKB_CORRUPT, fmt::format("{}: there is no chunk of its {}", name, shape),
                {.tensor = name});
  }
  const Box whole{std::vector<std::int64_t>(shape.size(), 0), shape};
  return Assembler(name, concat).value_of(whole, tiles, 0);
}

std::uint32_t row_blocks_of(const std::vector<std::int64_t>& shape,
                            const std::vector<Tile>& tiles) {
  if (shape.empty() || tiles.size() < 2) return 0;
  std::set<std::int64_t> borders;
  for (const Tile& tile : tiles) {
    if (!std::ranges::equal(std::span(tile.sizes).subspan(1), std::span(shape).subspan(1)))
      return 0;
    borders.insert(tile.offsets[0]);
  }
  for (auto count = static_cast<std::int64_t>(borders.size()); count > 1; --count) {
    if (shape[0] % count != 0) continue;
    bool all = true;
    for (std::int64_t i = 1; all && i < count; ++i) all = borders.contains(shape[0] / count * i);
    if (all) return static_cast<std::uint32_t>(count);
  }
  return 0;
}

}  // namespace ckptbridge::nemo2
