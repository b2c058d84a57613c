// The directory of a .pt: which record lies where.
//
// Nothing of a record is read but its header. Sizes come from the central directory; data offsets
// from the local headers, whose extra field (torch's padding) differs from the central one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

struct ZipRecord {
  std::string name;      // without the folder: "data/0"
  std::uint64_t offset;  // of its first byte, from the start of the source
  std::uint64_t size;
  std::uint32_t crc32;  // as stored; 0 when the writer computed none
};

struct ZipDirectory {
  std::string folder;              // "archive"
  std::vector<ZipRecord> records;  // in the order of the directory, those in the folder only

  // nullptr when there is no such record.
  const ZipRecord* find(std::string_view name) const;
};

// True if the first bytes are those of a zip.
bool starts_as_zip(const ByteSource& source);

// Throws CKB_CORRUPT when the directory contradicts itself or the file's size, and CKB_UNSUPPORTED
// for compressed or encrypted records and zips in several parts.
ZipDirectory read_zip_directory(const ByteSource& source);

}  // namespace ckptbridge::torch_file
