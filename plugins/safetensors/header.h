// A .safetensors file:
//
//   0       8 bytes   N, the size of the header, little-endian; at most 100,000,000
//   8       N bytes   JSON, which begins with '{' and may end in blanks:
//                     {"__metadata__": {NAME: TEXT, …},
//                      NAME: {"dtype": "BF16", "shape": [4, 6], "data_offsets": [BEGIN, END]}, …}
//   8 + N             the tensors' bytes, little-endian and row-major. Offsets count from here;
//                     together they cover the rest of the file, with neither gap nor overlap
// Source: safetensors/src/tensor.rs of 0.3 to 0.7, which refuses all that is refused here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::safetensors {

inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;
inline constexpr std::uint64_t kPrefixBytes = 8;  // N
inline constexpr char kMetadata[] = "__metadata__";

struct Entry {
  std::string name;
  Dtype dtype;
  plugin::Shape shape;
  std::uint64_t begin = 0;  // of its bytes, from the end of the header on
  std::uint64_t end = 0;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Header {
  std::vector<Entry> entries;  // in the order of the header
  Metadata metadata;
};

// Reads the JSON of a header in front of data_size bytes of tensors. Throws CORRUPT for whatever
// contradicts the format, UNSUPPORTED for element types of less than a byte, with file in front.
Header parse_header(std::string_view json, std::uint64_t data_size, const std::string& file);

// The first 8 + N bytes of a file; blanks at their end make them a multiple of 8. Throws
// UNSUPPORTED where the format has no such element type, or would need a longer header.
std::string header_bytes(const Header& header);

// Puts entries in the order in which the format's own library writes them, and tells them where
// they lie: wide element types first, so that all are aligned, then by name.
void arrange(std::vector<Entry>& entries);

}  // namespace ckptbridge::safetensors
