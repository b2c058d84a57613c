// What a zip of stored records looks like, as a computation: nothing is written here.
//
// The bytes of payloads, and their CRC-32, are known last and by others; everything else is known
// at once. Each byte of the zip lies in exactly one literal, one payload, or one CRC field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

// What a new record holds: these bytes, or `size` bytes that come later.
struct NewRecord {
  static NewRecord literal(std::string name, Bytes bytes);
  static NewRecord payload(std::string name, std::uint64_t size);

  std::string name;  // without the folder
  bool is_payload = false;
  Bytes bytes;             // of a literal
  std::uint64_t size = 0;  // of either
};

struct ZipLayout {
  struct Literal {
    std::uint64_t offset;
    Bytes bytes;
  };
  struct Payload {
    std::uint32_t index;  // counts the payload records, from 0
    std::uint64_t offset;
    std::uint64_t size;  // may be 0
  };
  // Four bytes, little-endian: the CRC-32 of [from, from + size). Each range appears twice (local
  // header and central directory); none is empty.
  struct Crc {
    std::uint64_t offset;
    std::uint64_t from;
    std::uint64_t size;
  };

  std::uint64_t size = 0;
  std::vector<Literal> literals;  // each vector in the order of offsets
  std::vector<Payload> payloads;
  std::vector<Crc> crcs;
};

// The folder of every zip written here. Renaming a file never matters with a constant one.
inline constexpr char kFolder[] = "archive";

struct ZipOptions {
  // Data of each record begins at a multiple of this, from the start of the zip. 4 to 32768, a
  // power of two.
  std::uint32_t alignment = 64;
};

// Equal records have equal layouts. Throws CKB_INVALID_ARGUMENT for an alignment or a name that a
// zip cannot have, CKB_UNSUPPORTED when the zip would pass 2^63 bytes.
ZipLayout lay_out_zip(std::span<const NewRecord> records, const ZipOptions& options = {});

}  // namespace ckptbridge::torch_file
