#include "core/disk/input_checksums.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/bytes/crc32.h"
#include "core/bytes/intervals.h"

namespace ckptbridge {
namespace {

// What comes in more pieces that do not join is a few columns of a wide matrix, and will never be
// whole: a bound on memory.
constexpr std::size_t kMaxParts = 16384;

constexpr std::uint64_t kPiece = 1u << 20;  // that is read at once

}  // namespace

bool is_little(std::uint64_t bytes, std::uint64_t size) {
  return bytes <= std::max<std::uint64_t>(size / 64, 4096);
}

void InputChecksums::expect(ckb_file file, std::uint64_t offset, std::uint64_t size,
                            std::uint32_t crc, std::string what) {
  if (ignored_ || size == 0) return;
  items_.try_emplace({file, offset}, Expected{size, crc, std::move(what), false, false, {}});
}

void InputChecksums::leave_out(std::span<const std::pair<ckb_file, std::uint64_t>> places) {
  for (const auto& place : places) {
    if (const auto item = items_.find(place); item != items_.end()) item->second.is_closed = true;
  }
}

void InputChecksums::go_on(std::span<const StorageCheck> checks) {
  for (const StorageCheck& check : checks) {
    const auto item = items_.find({check.file, check.offset});
    if (item == items_.end() || item->second.is_closed) continue;
    item->second.was_begun = true;
    item->second.is_closed = check.is_done;
    if (check.is_done) ++checked_;
  }
}

std::vector<StorageCheck> InputChecksums::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void InputChecksums::add(const InputFiles& sources, ckb_file file, std::uint64_t offset,
                         std::span<const std::byte> bytes) {
  if (items_.empty() || bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  auto item = items_.upper_bound({file, offset});
  if (item != items_.begin()) --item;
  for (; item != items_.end() && item->first < Key{file, end}; ++item) {
    const auto& [its_file, its_begin] = item->first;
    const std::uint64_t begin = std::max(offset, its_begin);
    const std::uint64_t stop = std::min(end, its_begin + item->second.size);
    if (its_file != file || begin >= stop) continue;
    add_to(sources, *item, begin, bytes.subspan(begin - offset, stop - begin));
  }
}

void InputChecksums::add_to(const InputFiles& sources, Map::value_type& item, std::uint64_t begin,
                            std::span<const std::byte> bytes) {
  Expected& expected = item.second;
  const std::uint64_t end = begin + bytes.size();
  // What nobody has summed is taken, summed while others may go on, and joined.
  std::vector<Interval> taken;
  std::unique_lock lock(mutex_);
  if (expected.is_closed) return;
  if (expected.parts.empty()) news_.push_back({item.first.first, item.first.second, false});
  auto next = expected.parts.upper_bound(begin);
  if (next != expected.parts.begin() && std::prev(next)->second.end > begin) --next;
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t stop = next == expected.parts.end() ? end : std::min(end, next->first);
    if (at < stop) {
      taken.push_back({at, stop});
      expected.parts.emplace_hint(next, at, Part{stop, 0, false});
    }
    if (next == expected.parts.end()) break;
    at = next->second.end;
    ++next;
  }
  lock.unlock();
  std::vector<std::uint32_t> sums;
  sums.reserve(taken.size());
  for (const Interval& part : taken) {
    sums.push_back(crc32(bytes.subspan(part.begin - begin, part.end - part.begin)));
  }
  lock.lock();
  if (expected.is_closed) return;
  Parts& parts = expected.parts;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    auto part = parts.find(taken[i].begin);
    part->second.crc = sums[i];
    part->second.is_summed = true;
    const auto join = [&](Parts::iterator first, Parts::iterator second) {
      if (first->second.end != second->first || !first->second.is_summed ||
          !second->second.is_summed) {
        return first;
      }
      first->second.crc =
          crc32_combine(first->second.crc, second->second.crc, second->second.end - second->first);
      first->second.end = second->second.end;
      parts.erase(second);
      return first;
    };
    if (const auto after = std::next(part); after != parts.end()) join(part, after);
    if (part != parts.begin()) join(std::prev(part), part);
  }
  const auto& [first_begin, first] = *parts.begin();
  const bool is_whole = first_begin == item.first.second && first.is_summed &&
                        first.end - first_begin == expected.size;
  if (!is_whole && parts.size() <= kMaxParts) return;
  expected.is_closed = true;
  const std::uint32_t found = first.crc;
  parts.clear();
  if (!is_whole || found == expected.crc) {
    news_.push_back({item.first.first, item.first.second, true});
    if (is_whole) ++checked_;
    return;
  }
  WrongChecksum wrong{
      sources.name(item.first.first),
      fmt::format("{} was changed after it was written: the CRC-32 of its {} bytes at {} is "
                  "{:08x}, the file says {:08x}",
                  expected.what, expected.size, item.first.second, found, expected.crc)};
  if (!collects_) {
    throw Error(
        CKB_CORRUPT, fmt::format("{}: {}", wrong.file, wrong.text),
        {.file = wrong.file,
         .hint = "fetch the file again, or pass --ignore-checksums to take the bytes as they are"});
  }
  wrong_.emplace(item.first, std::move(wrong));
}

std::uint64_t InputChecksums::missing_of(const Map::value_type& item) const {
  std::uint64_t missing = item.second.size;
  for (const auto& [begin, part] : item.second.parts) missing -= part.end - begin;
  return missing;
}

void InputChecksums::finish(const InputFiles& sources) {
  std::vector<std::byte> buffer;
  for (auto& item : items_) {
    Expected& expected = item.second;
    if (expected.is_closed || (expected.parts.empty() && !expected.was_begun)) continue;
    if (!expected.was_begun && !is_little(missing_of(item), expected.size)) continue;
    std::vector<Interval> missing;
    std::uint64_t at = item.first.second;
    for (const auto& [begin, part] : expected.parts) {
      if (at < begin) missing.push_back({at, begin});
      at = part.end;
    }
    const std::uint64_t end = item.first.second + expected.size;
    if (at < end) missing.push_back({at, end});
    buffer.resize(kPiece);
    for (const Interval& range : missing) {
      for (std::uint64_t done = range.begin; done < range.end; done += kPiece) {
        const auto bytes = std::span(buffer).first(std::min(kPiece, range.end - done));
        sources.read(item.first.first, done, bytes);
        add_to(sources, item, done, bytes);
      }
    }
  }
}

}  // namespace ckptbridge
