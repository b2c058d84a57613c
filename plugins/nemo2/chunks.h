// How tensors are cut into chunks, and which data file each chunk lies in.
//
// Loaders accept any grid of chunks in any files, so the choice is ours: whole rows, blocks large
// enough for fast reading and small enough to be spread over files and, later, readers.
#pragma once

#include <cstdint>
#include <vector>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::nemo2 {

// Rows [begin, end) of a tensor; of a tensor without dimensions, all of it.
struct RowBlock {
  std::int64_t begin;
  std::int64_t end;
};

// The chunks of a tensor: as many equal blocks along dim 0 as it asks for (one for 0 or if the rows
// do not divide), each cut again so that none has more than most bytes, where a row is no larger.
std::vector<RowBlock> row_blocks(const plugin::TensorView& tensor, std::uint64_t most);

// One data file for each 4 GiB of data begun, at least 2 and at most 64: enough for parallel
// reading, few enough for a cluster's metadata server.
std::uint32_t data_file_count(std::uint64_t bytes);

// For each size the number of its file: largest first, each into the file that holds least so far.
std::vector<std::uint32_t> assign_files(const std::vector<std::uint64_t>& sizes,
                                        std::uint32_t files);

}  // namespace ckptbridge::nemo2
