#include "core/commit/journal.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>
#include <xxhash.h>

#include <boost/filesystem/operations.hpp>

#include "core/bytes/crc32.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

static_assert(std::endian::native == std::endian::little);

constexpr const char* kName = "journal";
constexpr const char* kFreshName = "journal-next";
constexpr const char* kFirst = "ckptbridge journal 2";
constexpr std::uint64_t kBlockHead = 2 * sizeof(std::uint64_t);

class BlockWriter {
 public:
  BlockWriter() : bytes_(kBlockHead) {}

  void number(std::uint64_t value) {
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof(value));
  }
  void text(const std::string& value) {
    number(value.size());
    const auto* begin = reinterpret_cast<const std::byte*>(value.data());
    bytes_.insert(bytes_.end(), begin, begin + value.size());
  }
  std::span<const std::byte> finish() {
    const std::uint64_t size = bytes_.size() - kBlockHead;
    const std::uint64_t digest = XXH3_64bits(bytes_.data() + kBlockHead, size);
    std::memcpy(bytes_.data(), &size, sizeof(size));
    std::memcpy(bytes_.data() + sizeof(size), &digest, sizeof(digest));
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

// Reads what a BlockWriter made. The content has been checked by its digest, so that a count that
// does not fit is a journal of another format: ok() is false then.
class BlockReader {
 public:
  explicit BlockReader(std::span<const std::byte> bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  std::uint64_t number() {
    std::uint64_t value = 0;
    if (!take(sizeof(value))) return 0;
    std::memcpy(&value, taken_.data(), sizeof(value));
    return value;
  }
  std::string text() {
    if (!take(number())) return "";
    return {reinterpret_cast<const char*>(taken_.data()), taken_.size()};
  }
  // A count of things that have so many bytes at least.
  std::uint64_t count(std::uint64_t size) {
    const std::uint64_t value = number();
    ok_ = ok_ && value <= left_.size() / size;
    return ok_ ? value : 0;
  }

 private:
  bool take(std::uint64_t size) {
    ok_ = ok_ && size <= left_.size();
    if (!ok_) return false;
    taken_ = left_.first(size);
    left_ = left_.subspan(size);
    return true;
  }

  std::span<const std::byte> left_;
  std::span<const std::byte> taken_;
  bool ok_ = true;
};

// Returns true where a whole block is at the front of `bytes`; takes the block off `bytes`, and
// points `content` at what is in it.
bool next_block(std::span<const std::byte>& bytes, std::span<const std::byte>& content) {
  std::uint64_t size = 0;
  std::uint64_t digest = 0;
  if (bytes.size() < kBlockHead) return false;
  std::memcpy(&size, bytes.data(), sizeof(size));
  std::memcpy(&digest, bytes.data() + sizeof(size), sizeof(digest));
  if (size > bytes.size() - kBlockHead) return false;
  content = bytes.subspan(kBlockHead, size);
  if (XXH3_64bits(content.data(), content.size()) != digest) return false;
  bytes = bytes.subspan(kBlockHead + size);
  return true;
}

bool read_first(BlockReader block, JournalContent& content) {
  if (block.text() != kFirst) return false;
  Identity& identity = content.head.identity;
  identity.version = block.text();
  identity.plan = block.text();
  content.head.total = block.number();
  content.inode = block.number();
  identity.sources.resize(block.count(3 * sizeof(std::uint64_t)));
  for (SourceState& source : identity.sources) {
    source.path = block.text();
    source.size = block.number();
    source.mtime_ns = static_cast<std::int64_t>(block.number());
  }
  content.head.unequal.resize(block.count(sizeof(std::uint64_t)));
  for (std::uint64_t& pair : content.head.unequal) pair = block.number();
  return block.ok();
}

bool read_made(BlockReader block, Made& made) {
  for (std::uint64_t left = block.count(3 * sizeof(std::uint64_t)); left > 0; --left) {
    const auto file = static_cast<std::uint32_t>(block.number());
    const std::uint64_t begin = block.number();
    made.ranges.push_back({file, begin, block.number()});
  }
  for (std::uint64_t left = block.count(5 * sizeof(std::uint64_t)); left > 0; --left) {
    ChecksumPart part{};
    part.file = static_cast<std::uint32_t>(block.number());
    part.range = static_cast<std::uint32_t>(block.number());
    part.begin = block.number();
    part.size = block.number();
    part.crc = static_cast<std::uint32_t>(block.number());
    made.parts.push_back(part);
  }
  for (std::uint64_t left = block.count(3 * sizeof(std::uint64_t)); left > 0; --left) {
    const auto file = static_cast<ckb_file>(block.number());
    const std::uint64_t offset = block.number();
    made.storages.push_back({file, offset, block.number() != 0});
  }
  return block.ok();
}

// Sorts, and joins what follows each other.
void join(Made& made) {
  std::vector<MadeRange>& ranges = made.ranges;
  std::sort(ranges.begin(), ranges.end(), [](const MadeRange& a, const MadeRange& b) {
    return std::tie(a.file, a.begin) < std::tie(b.file, b.begin);
  });
  std::vector<MadeRange> joined;
  for (const MadeRange& range : ranges) {
    if (!joined.empty() && joined.back().file == range.file &&
        joined.back().begin + joined.back().size == range.begin) {
      joined.back().size += range.size;
    } else {
      joined.push_back(range);
    }
  }
  ranges = std::move(joined);

  std::vector<ChecksumPart>& parts = made.parts;
  std::sort(parts.begin(), parts.end(), [](const ChecksumPart& a, const ChecksumPart& b) {
    return std::tie(a.file, a.begin) < std::tie(b.file, b.begin);
  });
  std::vector<ChecksumPart> whole;
  for (const ChecksumPart& part : parts) {
    ChecksumPart* last = whole.empty() ? nullptr : &whole.back();
    if (last != nullptr && last->file == part.file && last->range == part.range &&
        last->begin + last->size == part.begin) {
      last->crc = crc32_combine(last->crc, part.crc, part.size);
      last->size += part.size;
    } else {
      whole.push_back(part);
    }
  }
  parts = std::move(whole);
}

File begin_file(const fs::path& path) {
  fs::remove(path);
  return File::create(path, 0);
}

}  // namespace

std::uint64_t Made::size() const {
  std::uint64_t sum = 0;
  for (const MadeRange& range : ranges) sum += range.size;
  return sum;
}

std::optional<JournalContent> read_journal(const fs::path& partial) {
  if (!fs::exists(partial / kName)) return std::nullopt;
  const File file = File::open_to_read(partial / kName);
  std::vector<std::byte> data(file.state().size);
  data.resize(file.read_at(0, data));
  std::span<const std::byte> left(data);
  JournalContent content;
  std::span<const std::byte> block;
  if (!next_block(left, block) || !read_first(BlockReader(block), content)) return std::nullopt;
  while (next_block(left, block)) {
    if (!read_made(BlockReader(block), content.made)) return std::nullopt;
  }
  return content;
}

// Written beside and renamed, so that there is the old journal or the new one.
Journal::Journal(const fs::path& partial, const JournalHead& head, OutputFiles& output,
                 InputChecksums& checks, std::uint64_t interval, const Made& made)
    : partial_(partial),
      output_(output),
      checks_(checks),
      interval_(interval),
      file_(begin_file(partial / kFreshName)) {
  BlockWriter block;
  block.text(kFirst);
  block.text(head.identity.version);
  block.text(head.identity.plan);
  block.number(head.total);
  block.number(folder_inode(partial / "output"));
  block.number(head.identity.sources.size());
  for (const SourceState& source : head.identity.sources) {
    block.text(source.path);
    block.number(source.size);
    block.number(static_cast<std::uint64_t>(source.mtime_ns));
  }
  block.number(head.unequal.size());
  for (const std::uint64_t pair : head.unequal) block.number(pair);
  const auto bytes = block.finish();
  file_.write_at(0, bytes);
  end_ = bytes.size();
  if (!made.ranges.empty()) write(made);
  rename_entry(partial / kFreshName, partial / kName);
  has_folders_ = false;  // the journal's own name is not on the disk yet
}

void Journal::add(std::span<const OutputRange> ranges, std::span<const ChecksumPart> parts) {
  std::unique_lock lock(mutex_);
  for (const OutputRange& range : ranges) {
    added_.ranges.push_back({range.file, range.begin, range.size});
    added_size_ += range.size;
  }
  added_.parts.insert(added_.parts.end(), parts.begin(), parts.end());
  if (added_size_ < interval_ || writing_) return;
  writing_ = true;  // and stays so if that fails: the run has failed then
  Made made = take_added();
  lock.unlock();
  join(made);
  write(made);
  lock.lock();
  writing_ = false;
}

// News of storages are asked for last: all that these ranges were made from was read before.
Made Journal::take_added() {
  Made made = std::exchange(added_, {});
  added_size_ = 0;
  made.storages = checks_.take_news();
  return made;
}

void Journal::checkpoint() {
  Made made = take_added();
  join(made);
  if (!made.ranges.empty()) write(made);
}

// First the data and the names of files, then the block that says that they are there.
void Journal::write(const Made& made) {
  std::set<std::uint32_t> files;
  for (const MadeRange& range : made.ranges) files.insert(range.file);
  for (const std::uint32_t file : files) output_.sync(file);
  if (!has_folders_) {
    output_.sync_folders();
    sync_folder(partial_);
    has_folders_ = true;
  }
  BlockWriter block;
  block.number(made.ranges.size());
  for (const MadeRange& range : made.ranges) {
    block.number(range.file);
    block.number(range.begin);
    block.number(range.size);
  }
  block.number(made.parts.size());
  for (const ChecksumPart& part : made.parts) {
    block.number(part.file);
    block.number(part.range);
    block.number(part.begin);
    block.number(part.size);
    block.number(part.crc);
  }
  block.number(made.storages.size());
  for (const StorageCheck& storage : made.storages) {
    block.number(storage.file);
    block.number(storage.offset);
    block.number(storage.is_done ? 1 : 0);
  }
  const auto bytes = block.finish();
  file_.write_at(end_, bytes);
  file_.sync();
  end_ += bytes.size();
  made_ += made.size();
}

}  // namespace ckptbridge
