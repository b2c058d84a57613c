// One tensor of a zarr checkpoint, as megatron-core up to 0.15 wrote them: a folder that is called
// as the tensor is.
//
//   KEY/.zarray   JSON of zarr's version 2, all of these:
//     shape, chunks       sizes of the array and of a chunk, as many of each
//     dtype               "<f4", "|b1", …; "bfloat16", which no other writer of zarr knows:
//     Megatron
//                         puts it in the place of "<V2"
//     order               "C": chunks are row-major; "F": column-major
//     compressor, filters null: chunks are raw elements
//     fill_value          null; what is in chunks that are not there
//     zarr_format         2
//     dimension_separator "." unless it says "/"
//   KEY/1.0       chunk (1, 0), named by its position in the grid; "0" of an array without
//   dimensions
// Chunks at the edges are as large as the others; what lies beyond the array has no meaning.
// Source: zarr 2.18, zarr/meta.py and storage.py;
// megatron/core/dist_checkpointing/strategies/zarr.py of 0.12 and 0.15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/dtype.hpp"

namespace ckptbridge::nemo2 {

struct ZarrArray {
  Dtype dtype{};
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> chunks;  // of one chunk; at least 1 each
  bool is_column_major = false;
  char separator = '.';

  std::uint64_t chunk_size() const;           // bytes
  std::vector<std::int64_t> grid() const;     // chunks along each dim
  std::vector<std::int64_t> strides() const;  // of a chunk, in elements
  std::string chunk_name(const std::vector<std::int64_t>& position) const;
};

// Returns the text as zarr writes it, byte for byte: row-major, separated by ".". Throws
// UNSUPPORTED, with the tensor's name in front, for a dtype that the format has no name for.
std::string zarray_text(const ZarrArray& array, const std::string& name);

// Throws CORRUPT or UNSUPPORTED that opens with name: no such JSON, compressed chunks, an unknown
// dtype, sizes that cannot be counted in 63 bits.
ZarrArray parse_zarray(std::string_view text, const std::string& name);

// The next position in a grid, the last dim first; false after the last one. The first is all 0.
bool advance(std::vector<std::int64_t>& position, const std::vector<std::int64_t>& grid);

}  // namespace ckptbridge::nemo2
