#include "core/execute.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <span>
#include <vector>

#include "core/checksum.h"
#include "core/value_reader.h"

namespace ckptbridge {
namespace {

// The CRC-32 of a part of a checksum range.
struct ChecksumPart {
  std::uint64_t begin;
  std::uint64_t size;
  std::uint32_t crc;
};

// Collects the parts of all ranges of all files, which finish in any order.
class Checksums {
 public:
  explicit Checksums(const Layout& layout) : layout_(layout) {
    for (const OutputFile& file : layout.files()) parts_.emplace_back(file.checksums.size());
  }

  // Takes the parts of ranges that lie in these bytes of a file.
  void add(std::uint32_t file, std::uint64_t begin, std::span<const std::byte> bytes) {
    const auto& ranges = layout_.files()[file].checksums;
    const std::uint64_t end = begin + bytes.size();
    auto range = std::upper_bound(
        ranges.begin(), ranges.end(), begin,
        [](std::uint64_t at, const ChecksumRange& r) { return at < r.begin + r.size; });
    for (; range != ranges.end() && range->begin < end; ++range) {
      const std::uint64_t from = std::max(begin, range->begin);
      const std::uint64_t to = std::min(end, range->begin + range->size);
      if (from >= to) continue;
      const std::uint32_t crc = crc32(bytes.subspan(from - begin, to - from));
      const std::scoped_lock lock(mutex_);
      parts_[file][static_cast<std::size_t>(range - ranges.begin())].push_back(
          {from, to - from, crc});
    }
  }

  // Of a whole range; all its parts must have been added.
  std::uint32_t value(std::uint32_t file, std::size_t range) {
    auto& parts = parts_[file][range];
    std::sort(parts.begin(), parts.end(),
              [](const ChecksumPart& a, const ChecksumPart& b) { return a.begin < b.begin; });
    std::uint32_t crc = 0;
    for (const ChecksumPart& part : parts) crc = crc32_combine(crc, part.crc, part.size);
    return crc;
  }

 private:
  const Layout& layout_;
  std::mutex mutex_;
  std::vector<std::vector<std::vector<ChecksumPart>>> parts_;  // by file and range
};

// The bytes of a task's range; checksum fields stay zero.
void fill(const Arena& arena, const Layout& layout, const Task& task, ValueReader& reader,
          std::span<std::byte> target) {
  const OutputFile& file = layout.files()[task.file];
  const std::uint64_t end = task.begin + task.size;
  for (std::size_t i = task.first_segment; i < file.segments.size(); ++i) {
    const Segment& segment = file.segments[i];
    if (segment.offset >= end) break;
    const std::uint64_t from = std::max(task.begin, segment.offset);
    const std::uint64_t to = std::min(end, segment.offset + segment.size);
    const std::uint64_t skipped = from - segment.offset;
    const auto part = target.subspan(from - task.begin, to - from);
    switch (segment.content) {
      case Content::kBytes:
        std::memcpy(part.data(), layout.bytes(segment).data() + skipped, part.size());
        break;
      case Content::kZeros:
      case Content::kChecksum:
        std::memset(part.data(), 0, part.size());
        break;
      case Content::kValue: {
        const auto value = static_cast<ckb_node>(segment.index);
        const std::uint64_t item = arena.nodes.item(value);
        reader.read(value, skipped / item, part.size() / item, part);
        break;
      }
    }
  }
}

}  // namespace

void execute(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output,
             const Feedback& feedback) {
  Checksums checksums(layout);
  const auto make_worker = [&] {
    return [&, reader = ValueReader(arena, plan.scratch_size),
            buffer = std::vector<std::byte>(plan.task_size)](std::uint64_t number) mutable {
      const Task& task = plan.tasks[number];
      const auto bytes = std::span(buffer).first(task.size);
      fill(arena, layout, task, reader, bytes);
      checksums.add(task.file, task.begin, bytes);
      output.write(task.file, task.begin, bytes);
      return task.size;
    };
  };
  run_workers(plan.threads, plan.tasks.size(), make_worker, "convert", layout.total_size(),
              feedback);

  for (std::uint32_t i = 0; i < layout.files().size(); ++i) {
    for (const Segment& segment : layout.files()[i].segments) {
      if (segment.content != Content::kChecksum) continue;
      const std::uint32_t crc = checksums.value(i, segment.index);
      std::array<std::byte, 4> field;
      for (std::size_t k = 0; k < field.size(); ++k)
        field[k] = static_cast<std::byte>(crc >> 8 * k);
      output.write(i, segment.offset, field);
    }
  }
}

}  // namespace ckptbridge
