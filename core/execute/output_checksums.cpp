#include "core/execute/output_checksums.h"

#include <algorithm>

#include "core/bytes/crc32.h"

namespace ckptbridge {

std::vector<ChecksumPart> checksum_parts(const Layout& layout, std::uint32_t file,
                                         std::uint64_t begin, std::span<const std::byte> bytes) {
  const auto& ranges = layout.files()[file].checksums;
  const std::uint64_t end = begin + bytes.size();
  std::vector<ChecksumPart> parts;
  auto range = std::upper_bound(
      ranges.begin(), ranges.end(), begin,
      [](std::uint64_t at, const ChecksumRange& r) { return at < r.begin + r.size; });
  for (; range != ranges.end() && range->begin < end; ++range) {
    const std::uint64_t from = std::max(begin, range->begin);
    const std::uint64_t to = std::min(end, range->begin + range->size);
    if (from >= to) continue;
    parts.push_back({file, static_cast<std::uint32_t>(range - ranges.begin()), from, to - from,
                     crc32(bytes.subspan(from - begin, to - from))});
  }
  return parts;
}

OutputChecksums::OutputChecksums(const Layout& layout) {
  for (const OutputFile& file : layout.files()) parts_.emplace_back(file.checksums.size());
}

void OutputChecksums::add(std::span<const ChecksumPart> parts) {
  const std::scoped_lock lock(mutex_);
  for (const ChecksumPart& part : parts) parts_[part.file][part.range].push_back(part);
}

std::uint32_t OutputChecksums::value(std::uint32_t file, std::size_t range) {
  auto& parts = parts_[file][range];
  std::sort(parts.begin(), parts.end(),
            [](const ChecksumPart& a, const ChecksumPart& b) { return a.begin < b.begin; });
  std::uint32_t crc = 0;
  for (const ChecksumPart& part : parts) crc = crc32_combine(crc, part.crc, part.size);
  return crc;
}

}  // namespace ckptbridge
