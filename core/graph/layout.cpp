#include "core/graph/layout.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/disk/output_files.h"

namespace ckptbridge {
namespace {

constexpr std::uint64_t kChecksumSize = 4;

}  // namespace

OutputFile& Layout::at(std::uint32_t file) {
  if (file >= files_.size()) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("there is no output file {}", file));
  }
  return files_[file];
}

void Layout::put(std::uint32_t file, const Segment& segment) {
  OutputFile& out = at(file);
  if (segment.offset > out.size || segment.size > out.size - segment.offset) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: {} bytes at {} lie outside its {} bytes", out.path, segment.size,
                            segment.offset, out.size));
  }
  if (segment.size > 0) out.segments.push_back(segment);
}

std::uint32_t Layout::add_file(const std::string& path, std::uint64_t size) {
  require_output_path(path);
  if (size > std::numeric_limits<std::int64_t>::max()) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: {} bytes are not a size of a file", path, size));
  }
  if (!paths_.insert(path).second) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("output file {} is there already", path));
  }
  files_.push_back({path, size, {}, {}});
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void Layout::put_bytes(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> data) {
  put(file, {offset, data.size(), bytes_.size(), Content::kBytes});
  bytes_.insert(bytes_.end(), data.begin(), data.end());
}

void Layout::put_zeros(std::uint32_t file, std::uint64_t offset, std::uint64_t size) {
  put(file, {offset, size, 0, Content::kZeros});
}

void Layout::put_value(std::uint32_t file, std::uint64_t offset, ckb_node value,
                       const Nodes& nodes) {
  nodes.require(value);
  put(file, {offset, nodes.size(value), value, Content::kValue});
}

void Layout::put_crc32(std::uint32_t file, std::uint64_t offset, std::uint64_t from,
                       std::uint64_t size) {
  OutputFile& out = at(file);
  if (from > out.size || size > out.size - from) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: the checksum of {} bytes at {}, outside its {} bytes", out.path,
                            size, from, out.size));
  }
  put(file, {offset, kChecksumSize, out.checksums.size(), Content::kChecksum});
  out.checksums.push_back({from, size});
}

void Layout::finish() {
  for (OutputFile& file : files_) {
    // Equal ranges become one.
    std::vector<ChecksumRange> ranges = file.checksums;
    const auto before = [](const ChecksumRange& a, const ChecksumRange& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.size < b.size;
    };
    std::sort(ranges.begin(), ranges.end(), before);
    ranges.erase(std::unique(ranges.begin(), ranges.end(),
                             [](const ChecksumRange& a, const ChecksumRange& b) {
                               return a.begin == b.begin && a.size == b.size;
                             }),
                 ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      const ChecksumRange& last = ranges[i - 1];
      if (last.size > 0 && ranges[i].begin < last.begin + last.size) {
        throw Error(CKB_INTERNAL, fmt::format("{}: the checksum ranges [{}, {}) and [{}, {}) cross",
                                              file.path, last.begin, last.begin + last.size,
                                              ranges[i].begin, ranges[i].begin + ranges[i].size));
      }
    }
    for (Segment& segment : file.segments) {
      if (segment.content != Content::kChecksum) continue;
      const auto it =
          std::lower_bound(ranges.begin(), ranges.end(), file.checksums[segment.index], before);
      segment.index = static_cast<std::uint64_t>(it - ranges.begin());
      const auto after = std::upper_bound(
          ranges.begin(), ranges.end(), segment.offset + kChecksumSize - 1,
          [](std::uint64_t offset, const ChecksumRange& range) { return offset < range.begin; });
      for (auto range = after; range != ranges.begin();) {
        --range;
        if (range->size == 0) continue;
        if (range->begin + range->size > segment.offset) {
          throw Error(
              CKB_INTERNAL,
              fmt::format("{}: the checksum range [{}, {}) contains the checksum at {}", file.path,
                          range->begin, range->begin + range->size, segment.offset));
        }
        break;
      }
    }
    file.checksums = std::move(ranges);

    std::sort(file.segments.begin(), file.segments.end(),
              [](const Segment& a, const Segment& b) { return a.offset < b.offset; });
    std::uint64_t end = 0;
    for (const Segment& segment : file.segments) {
      if (segment.offset != end) {
        throw Error(
            CKB_INTERNAL,
            segment.offset > end
                ? fmt::format("{}: nothing is put at [{}, {})", file.path, end, segment.offset)
                : fmt::format("{}: two things are put at [{}, {})", file.path, segment.offset,
                              std::min(end, segment.offset + segment.size)));
      }
      end += segment.size;
    }
    if (end != file.size) {
      throw Error(CKB_INTERNAL,
                  fmt::format("{}: nothing is put at [{}, {})", file.path, end, file.size));
    }
  }
}

void Layout::remove_file(const std::string& path) {
  std::erase_if(files_, [&](const OutputFile& file) { return file.path == path; });
  paths_.erase(path);
}

std::uint64_t Layout::total_size() const {
  std::uint64_t size = 0;
  for (const OutputFile& file : files_) size += file.size;
  return size;
}

}  // namespace ckptbridge
