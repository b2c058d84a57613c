// Reads what zip_format.h lists. torch's files hold both end records, always; other writers the
// ZIP64 ones only when needed. Sizes in local headers are 0 in torch's files and are not looked at.
#include "plugins/torch_file/zip_reader.h"

#include <algorithm>
#include <optional>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/zip_format.h"

namespace ckptbridge::torch_file {
namespace {

// A million records take a tenth of it.
constexpr std::uint64_t kMaxDirectorySize = std::uint64_t{1} << 30;

[[noreturn]] void corrupt(const ByteSource& source, const std::string& message) {
  throw Error(CKB_CORRUPT, source.name() + ": " + message);
}

[[noreturn]] void unsupported(const ByteSource& source, const std::string& message) {
  throw Error(CKB_UNSUPPORTED, source.name() + ": " + message);
}

// Reads small pieces at rising offsets with one read per 4 KiB: small records lie close together.
class Cursor {
 public:
  explicit Cursor(const ByteSource& source) : source_(source) {}

  std::span<const std::byte> at(std::uint64_t offset, std::uint64_t size, const std::string& what) {
    if (offset < begin_ || offset - begin_ > block_.size() ||
        size > block_.size() - (offset - begin_)) {
      const std::uint64_t rest = source_.size() - std::min(offset, source_.size());
      block_ =
          read_range(source_, offset, std::max(size, std::min<std::uint64_t>(rest, 4096)), what);
      begin_ = offset;
    }
    return std::span(block_).subspan(offset - begin_, size);
  }

 private:
  const ByteSource& source_;
  std::uint64_t begin_ = 0;
  Bytes block_;
};

struct End {
  std::uint64_t entries;
  std::uint64_t directory_size;
  std::uint64_t directory_offset;
};

// The last end record that starts in the last `window` bytes. Bytes may follow it: a comment, or
// what torch.load tolerates as well.
std::optional<std::uint64_t> end_record(const ByteSource& source, std::uint64_t window) {
  if (source.size() < kEndSize) return std::nullopt;
  window = std::min(window, source.size());
  const std::uint64_t begin = source.size() - window;
  const Bytes tail = read_range(source, begin, window, "the end record");
  for (std::uint64_t i = tail.size() - kEndSize + 1; i-- > 0;) {
    if (load<std::uint32_t>(std::span(tail).subspan(i)) == kEndSignature) return begin + i;
  }
  return std::nullopt;
}

// Takes value from the ZIP64 record where the classic one is saturated; else they must agree.
template <class T>
std::uint64_t merged(const ByteSource& source, T classic, std::uint64_t large, const char* what) {
  if (classic != static_cast<T>(~T{0}) && classic != large) {
    std::string problem = "its two end records disagree about the ";
    problem.append(what).append(": ").append(std::to_string(classic));
    corrupt(source, problem.append(" and ").append(std::to_string(large)));
  }
  return large;
}

End read_end(const ByteSource& source) {
  auto found = end_record(source, 4096);
  if (!found) found = end_record(source, kEndSize + 0xFFFF);
  if (!found) {
    throw CutShort(source.name() +
                   ": there is no zip directory at its end; the file is cut short or was changed "
                   "after it was written");
  }
  const std::uint64_t position = *found;
  const Bytes end = read_range(source, position, kEndSize, "the end record");
  const std::span<const std::byte> data(end);
  const auto disk = load<std::uint16_t>(data.subspan(4));
  const auto entries = load<std::uint16_t>(data.subspan(10));
  const auto size = load<std::uint32_t>(data.subspan(12));
  const auto offset = load<std::uint32_t>(data.subspan(16));

  End result{entries, size, offset};
  std::uint64_t directory_end = position;
  Bytes locator;
  if (position >= kLocatorSize) {
    locator = read_range(source, position - kLocatorSize, kLocatorSize, "the ZIP64 locator");
  }
  if (!locator.empty() && load<std::uint32_t>(locator) == kLocatorSignature) {
    const auto at = load<std::uint64_t>(std::span(locator).subspan(8));
    const std::uint64_t limit = position - kLocatorSize;
    if (at > limit || limit - at < kEnd64Size) {
      corrupt(source, "the ZIP64 end record is said to be at byte " + std::to_string(at) +
                          ", behind its locator at byte " + std::to_string(limit));
    }
    const Bytes end64 = read_range(source, at, kEnd64Size, "the ZIP64 end record");
    const std::span<const std::byte> large(end64);
    if (load<std::uint32_t>(large) != kEnd64Signature) {
      corrupt(source, "there is no ZIP64 end record at byte " + std::to_string(at));
    }
    if (load<std::uint64_t>(large.subspan(16)) != 0)
      unsupported(source, "is a part of a split zip");
    result.entries = merged(source, entries, load<std::uint64_t>(large.subspan(32)), "entries");
    result.directory_size =
        merged(source, size, load<std::uint64_t>(large.subspan(40)), "directory's size");
    result.directory_offset =
        merged(source, offset, load<std::uint64_t>(large.subspan(48)), "directory's offset");
    directory_end = at;
  } else if (disk != 0 && disk != kSaturated16) {
    unsupported(source, "is a part of a split zip");
  }
  if (result.directory_offset > directory_end ||
      result.directory_size > directory_end - result.directory_offset) {
    corrupt(source, "its directory of " + std::to_string(result.directory_size) +
                        " bytes at byte " + std::to_string(result.directory_offset) +
                        " does not lie before its end record at byte " +
                        std::to_string(directory_end));
  }
  if (result.entries > result.directory_size / kCentralSize) {
    corrupt(source, "its directory of " + std::to_string(result.directory_size) +
                        " bytes cannot hold " + std::to_string(result.entries) + " entries");
  }
  if (result.directory_size > kMaxDirectorySize) {
    unsupported(source, "its directory has " + std::to_string(result.directory_size) +
                            " bytes, more than " + std::to_string(kMaxDirectorySize));
  }
  return result;
}

struct CentralEntry {
  std::string name;
  std::uint64_t header_offset = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
};

// Replaces those of size, stored size and offset that are saturated, in this order.
void apply_zip64(const ByteSource& source, std::span<const std::byte> extra,
                 std::span<std::uint64_t* const> fields, const std::string& name) {
  const auto wanted = static_cast<std::size_t>(std::ranges::count_if(
      fields, [](const std::uint64_t* field) { return *field == kSaturated32; }));
  if (wanted == 0) return;
  while (extra.size() >= 4) {
    const auto id = load<std::uint16_t>(extra);
    const std::size_t size = load<std::uint16_t>(extra.subspan(2));
    extra = extra.subspan(4);
    if (size > extra.size()) break;
    if (id == kZip64Field && size >= 8 * wanted) {
      for (std::uint64_t* field : fields) {
        if (*field != kSaturated32) continue;
        *field = load<std::uint64_t>(extra);
        extra = extra.subspan(8);
      }
      return;
    }
    extra = extra.subspan(size);
  }
  corrupt(source, "record " + name + " lacks its 64-bit sizes");
}

// The entry at the start of data; data moves on to the next one.
CentralEntry read_entry(const ByteSource& source, std::span<const std::byte>& data,
                        std::uint64_t index) {
  const std::string number = "directory entry " + std::to_string(index);
  if (data.size() < kCentralSize || load<std::uint32_t>(data) != kCentralSignature) {
    corrupt(source, number + " is damaged or missing");
  }
  const auto flags = load<std::uint16_t>(data.subspan(8));
  const auto method = load<std::uint16_t>(data.subspan(10));
  const std::size_t name_size = load<std::uint16_t>(data.subspan(28));
  const std::size_t extra_size = load<std::uint16_t>(data.subspan(30));
  const std::size_t comment_size = load<std::uint16_t>(data.subspan(32));
  if (name_size + extra_size + comment_size > data.size() - kCentralSize) {
    corrupt(source, number + " runs beyond the directory");
  }
  CentralEntry entry;
  const auto name = data.subspan(kCentralSize, name_size);
  entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  if (entry.name.empty() || entry.name.find('\0') != std::string::npos) {
    corrupt(source, number + " has no valid name");
  }
  if ((flags & kFlagEncrypted) != 0) unsupported(source, "record " + entry.name + " is encrypted");
  if (method != 0) {
    unsupported(source, "record " + entry.name + " is compressed (method " +
                            std::to_string(method) +
                            "); torch.save never does that, so pack it again without compression");
  }
  entry.crc32 = load<std::uint32_t>(data.subspan(16));
  std::uint64_t stored_size = load<std::uint32_t>(data.subspan(20));
  entry.size = load<std::uint32_t>(data.subspan(24));
  entry.header_offset = load<std::uint32_t>(data.subspan(42));
  std::uint64_t* const fields[] = {&entry.size, &stored_size, &entry.header_offset};
  apply_zip64(source, data.subspan(kCentralSize + name_size, extra_size), fields, entry.name);
  if (stored_size != entry.size) {
    corrupt(source, "record " + entry.name + " is not compressed but has two sizes, " +
                        std::to_string(stored_size) + " and " + std::to_string(entry.size));
  }
  data = data.subspan(kCentralSize + name_size + extra_size + comment_size);
  return entry;
}

// torch's padding is such a field, and the length of them all says where the data begin: fields
// that do not fill it exactly mean that it was changed.
void require_whole_fields(const ByteSource& source, std::span<const std::byte> extra,
                          const std::string& name) {
  while (extra.size() >= 4) {
    const std::size_t size = load<std::uint16_t>(extra.subspan(2));
    if (size > extra.size() - 4) break;
    extra = extra.subspan(4 + size);
  }
  if (!extra.empty()) {
    corrupt(source, "record " + name + " has a header whose fields do not fill it");
  }
}

// Where the data begins, by the local header; it and the data end before `limit`.
std::uint64_t data_offset(const ByteSource& source, Cursor& cursor, const CentralEntry& entry,
                          std::uint64_t limit) {
  const std::string what = "the header of record " + entry.name;
  const auto header = cursor.at(entry.header_offset, kLocalSize, what);
  if (load<std::uint32_t>(header) != kLocalSignature) {
    corrupt(source, "there is no header of record " + entry.name + " at byte " +
                        std::to_string(entry.header_offset));
  }
  const std::uint64_t name_size = load<std::uint16_t>(header.subspan(26));
  const std::uint64_t extra_size = load<std::uint16_t>(header.subspan(28));
  const auto name = cursor.at(entry.header_offset + kLocalSize, name_size, what);
  if (std::string_view(reinterpret_cast<const char*>(name.data()), name.size()) != entry.name) {
    corrupt(source, "record " + entry.name + " has another name in its header at byte " +
                        std::to_string(entry.header_offset));
  }
  require_whole_fields(source,
                       cursor.at(entry.header_offset + kLocalSize + name_size, extra_size, what),
                       entry.name);
  const std::uint64_t begin = entry.header_offset + kLocalSize + name_size + extra_size;
  if (begin > limit || entry.size > limit - begin) {
    corrupt(source, "record " + entry.name + " has " + std::to_string(entry.size) +
                        " bytes at byte " + std::to_string(begin) +
                        ", beyond the start of the directory at byte " + std::to_string(limit));
  }
  return begin;
}

void require_disjoint(const ByteSource& source, const std::vector<ZipRecord>& records) {
  std::vector<const ZipRecord*> order;
  order.reserve(records.size());
  for (const ZipRecord& record : records) {
    if (record.size > 0) order.push_back(&record);
  }
  std::ranges::sort(order, {}, &ZipRecord::offset);
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->size) {
      corrupt(source, "records " + order[i - 1]->name + " and " + order[i]->name + " overlap");
    }
  }
}

void require_unique(const ByteSource& source, const std::vector<ZipRecord>& records) {
  std::vector<std::string_view> names;
  names.reserve(records.size());
  for (const ZipRecord& record : records) names.push_back(record.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    corrupt(source, "there are two records named " + std::string(*twice));
  }
}

}  // namespace

const ZipRecord* ZipDirectory::find(std::string_view name) const {
  const auto found = std::ranges::find(records, name, &ZipRecord::name);
  return found == records.end() ? nullptr : &*found;
}

bool starts_as_zip(const ByteSource& source) {
  if (source.size() < 4) return false;
  return load<std::uint32_t>(read_range(source, 0, 4, "the first bytes")) == kLocalSignature;
}

ZipDirectory read_zip_directory(const ByteSource& source) {
  const End end = read_end(source);
  const Bytes directory =
      read_range(source, end.directory_offset, end.directory_size, "the directory");
  std::span<const std::byte> rest(directory);
  Cursor cursor(source);
  ZipDirectory result;
  for (std::uint64_t i = 0; i < end.entries; ++i) {
    const CentralEntry entry = read_entry(source, rest, i);
    const std::size_t slash = entry.name.find('/');
    if (i == 0) {
      if (slash == std::string::npos || slash == 0) {
        corrupt(source, "its first record, " + entry.name +
                            ", is not in a folder, as all records of a .pt are");
      }
      result.folder = entry.name.substr(0, slash);
    }
    // torch looks into the folder of the first entry only. "archive/" itself is there when the zip
    // was packed by hand.
    if (slash == std::string::npos || entry.name.compare(0, slash, result.folder) != 0 ||
        entry.name.size() == slash + 1) {
      continue;
    }
    const std::uint64_t offset = data_offset(source, cursor, entry, end.directory_offset);
    result.records.push_back({entry.name.substr(slash + 1), offset, entry.size, entry.crc32});
  }
  if (!rest.empty()) {
    corrupt(source, "its directory has " + std::to_string(rest.size()) + " bytes more than its " +
                        std::to_string(end.entries) + " entries");
  }
  require_unique(source, result.records);
  require_disjoint(source, result.records);
  return result;
}

}  // namespace ckptbridge::torch_file
