#include "core/execute/execute.h"

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "core/execute/output_checksums.h"
#include "core/execute/value_reader.h"

namespace ckptbridge {
namespace {

// So many tasks ahead, the page cache is told what will be read: the disk works meanwhile. Costs 13
// microseconds for a MiB that is there already.
constexpr std::uint64_t kReadAhead = 16;

// Makes tasks, one at a time, in buffers that it keeps.
class TaskMaker {
 public:
  TaskMaker(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output)
      : nodes_(arena.nodes),
        layout_(layout),
        plan_(plan),
        output_(output),
        reader_(arena, plan.buffers.scratch_size()),
        buffer_(plan.buffers.task_size) {}

  // Tells the page cache what a task will read.
  void will_need(std::uint64_t number) const {
    const OutputRange* last = nullptr;
    for (const OutputRange& range : plan_.task(number)) {
      const Segment& segment = segment_of(range);
      if (segment.content != Content::kValue) continue;
      if (last != nullptr && same_content(layout_, *last, range)) continue;
      last = &range;
      const auto node = static_cast<ckb_node>(segment.index);
      const std::uint64_t item = nodes_.item(node);
      reader_.will_need(node, (range.begin - segment.offset) / item, range.size / item);
    }
  }

  // Reads, then writes all ranges of a task; returns the parts of checksums in them.
  std::span<const ChecksumPart> make(std::uint64_t number) {
    const auto ranges = plan_.task(number);
    fill(ranges);
    reader_.read(values_);
    parts_.clear();
    for (std::size_t i = 0; i < ranges.size();) {
      // Pieces that follow each other in the file and in the buffer are one write.
      std::uint64_t size = ranges[i].size;
      std::size_t next = i + 1;
      for (; next < ranges.size() && ranges[next].file == ranges[i].file &&
             ranges[next].begin == ranges[i].begin + size && places_[next] == places_[i] + size;
           ++next) {
        size += ranges[next].size;
      }
      const auto bytes = std::span(buffer_).subspan(places_[i], size);
      const auto parts = checksum_parts(layout_, ranges[i].file, ranges[i].begin, bytes);
      parts_.insert(parts_.end(), parts.begin(), parts.end());
      output_.write(ranges[i].file, ranges[i].begin, bytes);
      i = next;
    }
    return parts_;
  }

 private:
  const Segment& segment_of(const OutputRange& range) const {
    return layout_.files()[range.file].segments[range.segment];
  }

  // Puts each range at a place in the buffer, equal ones at the same, and fills in all but values;
  // checksum fields stay zero.
  void fill(std::span<const OutputRange> ranges) {
    places_.clear();
    values_.clear();
    std::size_t used = 0;
    const OutputRange* value = nullptr;
    for (const OutputRange& range : ranges) {
      if (value != nullptr && same_content(layout_, *value, range)) {
        places_.push_back(used_by_value_);
        continue;
      }
      const Segment& segment = segment_of(range);
      const std::uint64_t skipped = range.begin - segment.offset;
      const auto target = std::span(buffer_).subspan(used, range.size);
      places_.push_back(used);
      switch (segment.content) {
        case Content::kBytes:
          std::memcpy(target.data(), layout_.bytes(segment).data() + skipped, target.size());
          break;
        case Content::kZeros:
        case Content::kChecksum:
          std::memset(target.data(), 0, target.size());
          break;
        case Content::kValue: {
          const auto node = static_cast<ckb_node>(segment.index);
          const std::uint64_t item = nodes_.item(node);
          values_.push_back({node, skipped / item, target.size() / item, target});
          value = &range;
          used_by_value_ = used;
          break;
        }
      }
      used += range.size;
    }
  }

  const Nodes& nodes_;
  const Layout& layout_;
  const Plan& plan_;
  OutputFiles& output_;
  ValueReader reader_;
  std::vector<std::byte> buffer_;
  std::vector<std::size_t> places_;  // of the ranges in the buffer
  std::size_t used_by_value_ = 0;    // the place of the last value
  std::vector<ValueRange> values_;
  std::vector<ChecksumPart> parts_;
};

std::uint64_t size_of(std::span<const OutputRange> ranges) {
  std::uint64_t size = 0;
  for (const OutputRange& range : ranges) size += range.size;
  return size;
}

void write_checksums(const Layout& layout, OutputChecksums& checksums, OutputFiles& output) {
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

}  // namespace

void execute(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output,
             bool drop_behind, const Feedback& feedback, std::span<const ChecksumPart> before,
             const TaskMade& made, const TensorOf& tensor_of) {
  OutputChecksums checksums(layout);
  checksums.add(before);
  if (drop_behind) {
    arena.sources.drop_behind();
    output.drop_behind();
  }
  const auto make_worker = [&] {
    return [&, maker = TaskMaker(arena, layout, plan, output)](std::uint64_t number) mutable {
      if (number + kReadAhead < plan.task_count()) maker.will_need(number + kReadAhead);
      const auto parts = maker.make(number);
      checksums.add(parts);
      if (made) made(plan.task(number), parts);
      return size_of(plan.task(number));
    };
  };
  const auto tensor_of_task = [&](std::uint64_t number) -> std::string {
    for (const OutputRange& range : plan.task(number)) {
      const Segment& segment = layout.files()[range.file].segments[range.segment];
      if (tensor_of && segment.content == Content::kValue) {
        return tensor_of(static_cast<ckb_node>(segment.index));
      }
    }
    return "";
  };
  run_workers(plan.buffers.threads, plan.task_count(), make_worker, "convert", size_of(plan.ranges),
              feedback, tensor_of_task);
  write_checksums(layout, checksums, output);
}

}  // namespace ckptbridge
