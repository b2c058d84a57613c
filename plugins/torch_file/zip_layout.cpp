// Lays out what zip_format.h lists, in the form that all of torch.load, mmap and unzip read:
//
//   for each record: local header with real CRC and sizes, name, [ZIP64 field], padding field, data
//   central directory; ZIP64 end record and locator, always; end record
//
// A record with a size of 0xFFFFFFFF or more has its sizes in ZIP64 fields, one whose header lies
// there its offset. The ZIP64 field of local headers is for unzip; torch looks at the central one.
// No data descriptors, and no .format_version, by which torch would compute offsets instead of
// reading them.
#include "plugins/torch_file/zip_layout.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/crc32.h"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/zip_format.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::uint16_t kDate = 0x0021;  // 1980-01-01, the first valid one
constexpr std::uint16_t kVersionZip64 = 45;
constexpr std::uint16_t kMadeBy = 0x031E;  // Unix, 3.0: what torch writes in the ZIP64 end record
constexpr std::byte kPadding{'Z'};

std::uint32_t saturated(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kSaturated32));
}

bool needs_zip64(std::uint64_t value) { return value >= kSaturated32; }

// Collects the literals, split where something known later lies between.
class Builder {
 public:
  std::uint64_t position() const { return begin_ + pending_.size(); }

  template <class T>
  void number(T value) {
    append<T>(pending_, value);
  }
  void text(std::string_view text) { bytes(std::as_bytes(std::span(text))); }
  void bytes(std::span<const std::byte> data) {
    pending_.insert(pending_.end(), data.begin(), data.end());
  }
  void fill(std::size_t count, std::byte value) { pending_.insert(pending_.end(), count, value); }

  // Leaves four bytes for the CRC-32 of [from, from + size).
  void crc(std::uint64_t from, std::uint64_t size) {
    flush();
    layout_.crcs.push_back({begin_, from, size});
    begin_ += 4;
  }
  void payload(std::uint32_t index, std::uint64_t size) {
    flush();
    layout_.payloads.push_back({index, begin_, size});
    begin_ += size;
  }
  ZipLayout finish() {
    flush();
    layout_.size = begin_;
    return std::move(layout_);
  }

 private:
  void flush() {
    if (pending_.empty()) return;
    const std::uint64_t size = pending_.size();
    layout_.literals.push_back({begin_, std::move(pending_)});
    pending_.clear();
    begin_ += size;
  }

  ZipLayout layout_;
  std::uint64_t begin_ = 0;  // of pending_
  Bytes pending_;
};

struct Placed {
  const NewRecord* record;
  std::string name;  // with the folder
  std::uint64_t header_offset;
  std::uint64_t data_offset;
};

// Sizes of the ZIP64 field, its four bytes of id and size included.
std::uint16_t local_zip64_size(const NewRecord& record) {
  return needs_zip64(record.size) ? 20 : 0;
}

std::uint16_t central_zip64_size(const Placed& placed) {
  const int values =
      (needs_zip64(placed.record->size) ? 2 : 0) + (needs_zip64(placed.header_offset) ? 1 : 0);
  return static_cast<std::uint16_t>(values == 0 ? 0 : 4 + 8 * values);
}

void put_crc(Builder& out, const Placed& placed) {
  if (placed.record->is_payload && placed.record->size > 0) {
    out.crc(placed.data_offset, placed.record->size);
  } else {
    out.number<std::uint32_t>(crc32(placed.record->bytes));
  }
}

// What both headers share: version needed to extra size.
void put_common(Builder& out, const Placed& placed, std::uint16_t zip64_size,
                std::uint16_t extra_size) {
  out.number<std::uint16_t>(zip64_size > 0 ? kVersionZip64 : std::uint16_t{0});
  out.number<std::uint16_t>(kFlagUtf8);
  out.number<std::uint16_t>(0);  // stored
  out.number<std::uint16_t>(0);  // time
  out.number<std::uint16_t>(kDate);
  put_crc(out, placed);
  out.number<std::uint32_t>(saturated(placed.record->size));
  out.number<std::uint32_t>(saturated(placed.record->size));
  out.number<std::uint16_t>(static_cast<std::uint16_t>(placed.name.size()));
  out.number<std::uint16_t>(extra_size);
}

Placed put_local(Builder& out, const NewRecord& record, std::uint32_t alignment) {
  Placed placed{&record, std::string(kFolder) + "/" + record.name, out.position(), 0};
  const std::uint16_t zip64_size = local_zip64_size(record);
  const std::uint64_t unpadded =
      placed.header_offset + kLocalSize + placed.name.size() + zip64_size + 4;
  const auto padding = static_cast<std::uint16_t>((alignment - unpadded % alignment) % alignment);
  placed.data_offset = unpadded + padding;

  out.number<std::uint32_t>(kLocalSignature);
  put_common(out, placed, zip64_size, static_cast<std::uint16_t>(zip64_size + 4 + padding));
  out.text(placed.name);
  if (zip64_size > 0) {
    out.number<std::uint16_t>(kZip64Field);
    out.number<std::uint16_t>(16);
    out.number<std::uint64_t>(record.size);
    out.number<std::uint64_t>(record.size);
  }
  out.number<std::uint16_t>(kPaddingField);
  out.number<std::uint16_t>(padding);
  out.fill(padding, kPadding);
  return placed;
}

void put_central(Builder& out, const Placed& placed) {
  const std::uint16_t zip64_size = central_zip64_size(placed);
  out.number<std::uint32_t>(kCentralSignature);
  out.number<std::uint16_t>(0);  // made by
  put_common(out, placed, zip64_size, zip64_size);
  out.number<std::uint16_t>(0);  // comment size
  out.number<std::uint16_t>(0);  // disk
  out.number<std::uint16_t>(0);  // attributes
  out.number<std::uint32_t>(0);
  out.number<std::uint32_t>(saturated(placed.header_offset));
  out.text(placed.name);
  if (zip64_size == 0) return;
  out.number<std::uint16_t>(kZip64Field);
  out.number<std::uint16_t>(static_cast<std::uint16_t>(zip64_size - 4));
  if (needs_zip64(placed.record->size)) {
    out.number<std::uint64_t>(placed.record->size);
    out.number<std::uint64_t>(placed.record->size);
  }
  if (needs_zip64(placed.header_offset)) out.number<std::uint64_t>(placed.header_offset);
}

void put_end(Builder& out, std::uint64_t entries, std::uint64_t directory_offset) {
  const std::uint64_t end64 = out.position();
  const std::uint64_t directory_size = end64 - directory_offset;
  out.number<std::uint32_t>(kEnd64Signature);
  out.number<std::uint64_t>(kEnd64Size - 12);
  out.number<std::uint16_t>(kMadeBy);
  out.number<std::uint16_t>(kVersionZip64);
  out.number<std::uint64_t>(0);  // disk, disk of the directory
  out.number<std::uint64_t>(entries);
  out.number<std::uint64_t>(entries);
  out.number<std::uint64_t>(directory_size);
  out.number<std::uint64_t>(directory_offset);

  out.number<std::uint32_t>(kLocatorSignature);
  out.number<std::uint32_t>(0);
  out.number<std::uint64_t>(end64);
  out.number<std::uint32_t>(1);

  const auto entries16 = static_cast<std::uint16_t>(std::min<std::uint64_t>(entries, kSaturated16));
  out.number<std::uint32_t>(kEndSignature);
  out.number<std::uint32_t>(0);  // disk, disk of the directory
  out.number<std::uint16_t>(entries16);
  out.number<std::uint16_t>(entries16);
  out.number<std::uint32_t>(saturated(directory_size));
  out.number<std::uint32_t>(saturated(directory_offset));
  out.number<std::uint16_t>(0);
}

void require_valid(std::span<const NewRecord> records, const ZipOptions& options) {
  if (options.alignment < 4 || options.alignment > 32768 ||
      !std::has_single_bit(options.alignment)) {
    throw Error(CKB_INVALID_ARGUMENT, "records of a .pt cannot be aligned to " +
                                          std::to_string(options.alignment) +
                                          " bytes, only to a power of two from 4 to 32768");
  }
  // Headers, names and padding take less than this for each record, twice.
  constexpr std::uint64_t kMaxOverhead = std::uint64_t{1} << 18;
  std::vector<std::string_view> names;
  std::uint64_t total = 0;
  for (const NewRecord& record : records) {
    if (record.name.empty() || record.name.size() > 65000) {
      throw Error(CKB_INVALID_ARGUMENT, "a record of a .pt cannot have a name of " +
                                            std::to_string(record.name.size()) + " bytes");
    }
    names.push_back(record.name);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (record.size > kMax - total || kMax - total - record.size < kMaxOverhead) {
      throw Error(CKB_UNSUPPORTED, "a .pt cannot hold more than 2^63 bytes");
    }
    total += record.size + kMaxOverhead;
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    throw Error(CKB_INVALID_ARGUMENT, "two records of a .pt are named " + std::string(*twice));
  }
}

}  // namespace

NewRecord NewRecord::literal(std::string name, Bytes bytes) {
  NewRecord record;
  record.name = std::move(name);
  record.size = bytes.size();
  record.bytes = std::move(bytes);
  return record;
}

NewRecord NewRecord::payload(std::string name, std::uint64_t size) {
  NewRecord record;
  record.name = std::move(name);
  record.is_payload = true;
  record.size = size;
  return record;
}

ZipLayout lay_out_zip(std::span<const NewRecord> records, const ZipOptions& options) {
  require_valid(records, options);
  Builder out;
  std::vector<Placed> placed;
  placed.reserve(records.size());
  std::uint32_t payloads = 0;
  for (const NewRecord& record : records) {
    placed.push_back(put_local(out, record, options.alignment));
    if (record.is_payload) {
      out.payload(payloads++, record.size);
    } else {
      out.bytes(record.bytes);
    }
  }
  const std::uint64_t directory_offset = out.position();
  for (const Placed& entry : placed) put_central(out, entry);
  put_end(out, placed.size(), directory_offset);
  return out.finish();
}

}  // namespace ckptbridge::torch_file
