// Chunks laid side by side to the tensor that they are chunks of.
//
// torch's and Megatron's loaders do not check that chunks tile a tensor: where there is a hole,
// what was in memory before stays there, in silence.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ckptbridge/plugin.h"

namespace ckptbridge::nemo2 {

struct Tile {
  std::vector<std::int64_t> offsets;  // of its first element in the tensor
  std::vector<std::int64_t> sizes;    // it lies in the tensor
  ckb_node value;
};

// concat(values, dim) joins values along dim.
using Concat = std::function<ckb_node(std::span<const ckb_node>, std::uint32_t)>;

// The value of a tensor of this shape, none of whose sizes is 0, from tiles in any order and of any
// sizes. Throws CORRUPT, with name in front, where tiles overlap or leave a hole, and UNSUPPORTED
// where no straight cut takes the tiles apart, which no writer makes.
ckb_node assemble(const std::vector<std::int64_t>& shape, std::vector<Tile> tiles,
                  const std::string& name, const Concat& concat);

// Into how many equal blocks along dim 0 tiles cut a tensor at least: the largest number whose
// borders all are borders of tiles, each of which spans all other dims. 0 where there is no cut.
std::uint32_t row_blocks_of(const std::vector<std::int64_t>& shape, const std::vector<Tile>& tiles);

}  // namespace ckptbridge::nemo2
