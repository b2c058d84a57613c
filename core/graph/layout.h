// What a writer returns: the output files, and which bytes, values and checksums go where in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/graph/nodes.h"

namespace ckptbridge {

enum class Content : std::uint8_t { kBytes, kZeros, kValue, kChecksum };

// [offset, offset + size) of an output file.
struct Segment {
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t index;  // kBytes: where in the layout's bytes; kValue: the node;
                        // kChecksum: which of the file's checksum ranges
  Content content;
};

// A range of an output file whose CRC-32 is wanted.
struct ChecksumRange {
  std::uint64_t begin;
  std::uint64_t size;
};

struct OutputFile {
  std::string path;  // relative to the destination
  std::uint64_t size;
  std::vector<Segment> segments;         // after finish(): by offset, without holes
  std::vector<ChecksumRange> checksums;  // after finish(): by begin, disjoint
};

// A writer builds it call by call. A call throws INVALID_ARGUMENT for what no file can have, such
// as a byte beyond its size.
class Layout {
 public:
  // Adds a file, and returns its number. Throws for a path that require_output_path() refuses, and
  // for a second file of one path.
  std::uint32_t add_file(const std::string& path, std::uint64_t size);
  void put_bytes(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> data);
  void put_zeros(std::uint32_t file, std::uint64_t offset, std::uint64_t size);
  void put_value(std::uint32_t file, std::uint64_t offset, ckb_node value, const Nodes& nodes);
  void put_crc32(std::uint32_t file, std::uint64_t offset, std::uint64_t from, std::uint64_t size);

  // Sorts the segments. Throws INTERNAL, naming the file and the bytes, where there is a hole or an
  // overlap, and where a checksum range crosses another one or contains a checksum.
  void finish();

  // Removes a file that need not be made. The numbers of the files behind it change.
  void remove_file(const std::string& path);

  const std::vector<OutputFile>& files() const { return files_; }
  std::span<const std::byte> bytes(const Segment& segment) const {
    return std::span(bytes_).subspan(segment.index, segment.size);
  }
  std::uint64_t total_size() const;

 private:
  OutputFile& at(std::uint32_t file);
  void put(std::uint32_t file, const Segment& segment);

  std::vector<OutputFile> files_;
  std::unordered_set<std::string> paths_;
  std::vector<std::byte> bytes_;
};

}  // namespace ckptbridge
