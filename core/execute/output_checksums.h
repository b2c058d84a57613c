// The CRC-32 of the ranges of output files that a layout wants, from parts that are made in any
// order.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "core/graph/layout.h"

namespace ckptbridge {

// The CRC-32 of some bytes of a checksum range.
struct ChecksumPart {
  std::uint32_t file;
  std::uint32_t range;  // among the file's checksums
  std::uint64_t begin;  // in the file
  std::uint64_t size;
  std::uint32_t crc;
};

// Returns a part for each checksum range that has some of these bytes of a file.
std::vector<ChecksumPart> checksum_parts(const Layout& layout, std::uint32_t file,
                                         std::uint64_t begin, std::span<const std::byte> bytes);

class OutputChecksums {
 public:
  // The layout must outlive it.
  explicit OutputChecksums(const Layout& layout);

  // [any-thread] The parts of a task; each byte of a range once.
  void add(std::span<const ChecksumPart> parts);

  // Returns the CRC-32 of a whole range, of which all parts must have been added.
  std::uint32_t value(std::uint32_t file, std::size_t range);

 private:
  std::mutex mutex_;
  std::vector<std::vector<std::vector<ChecksumPart>>> parts_;  // by file and range
};

}  // namespace ckptbridge
