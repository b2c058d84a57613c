#include "core/plan/plan.h"

#include <algorithm>
#include <tuple>

#include "core/plan/reading_order.h"
#include "core/plan/value_cuts.h"

namespace ckptbridge {
namespace {

// A range and the source that decides its place among the others. Literal bytes go with the value
// beside them.
struct Entry {
  OutputRange range;
  std::uint32_t span;  // of the source range
  std::uint64_t source;
  ckb_file file;  // of the source; 0: there is none
};

class Entries {
 public:
  Entries(const Nodes& nodes, const Layout& layout, std::uint64_t task_size)
      : nodes_(nodes), layout_(layout), task_size_(task_size) {}

  void add_file(std::uint32_t index) {
    const auto& segments = layout_.files()[index].segments;
    const std::size_t first = entries_.size();
    for (std::uint32_t i = 0; i < segments.size(); ++i) {
      if (segments[i].content == Content::kValue) {
        add_value(index, i, segments[i]);
      } else {
        add_literal(index, i, segments[i]);
      }
    }
    const Entry* value = nullptr;
    for (std::size_t i = entries_.size(); i-- > first;) take_along(entries_[i], value);
    value = nullptr;
    for (std::size_t i = first; i < entries_.size(); ++i) take_along(entries_[i], value);
  }

  // In the order of reading.
  std::vector<Entry> sorted() && {
    sort_for_reading(entries_, groups_, [](const Entry& entry) {
      return std::tuple(entry.range.file, entry.range.begin);
    });
    return std::move(entries_);
  }

 private:
  void add_value(std::uint32_t file, std::uint32_t index, const Segment& segment) {
    cut(
        nodes_, static_cast<ckb_node>(segment.index), task_size_,
        [&](const Cut& part) {
          entries_.push_back(
              {{segment.offset + part.begin, static_cast<std::uint32_t>(part.size), file, index},
               static_cast<std::uint32_t>(part.source_end - part.source_begin),
               part.source_begin,
               part.file});
        },
        groups_);
  }

  void add_literal(std::uint32_t file, std::uint32_t index, const Segment& segment) {
    for (std::uint64_t done = 0; done < segment.size; done += task_size_) {
      const auto size = static_cast<std::uint32_t>(std::min(task_size_, segment.size - done));
      entries_.push_back({{segment.offset + done, size, file, index}, 0, 0, 0});
    }
  }

  // Sets the source of an entry that has none to that of `neighbour`, the entry before. Makes an
  // entry with a source the next neighbour.
  static void take_along(Entry& entry, const Entry*& neighbour) {
    if (entry.file == 0 && neighbour != nullptr) {
      entry.file = neighbour->file;
      entry.source = neighbour->source;
    }
    if (entry.file != 0) neighbour = &entry;
  }

  const Nodes& nodes_;
  const Layout& layout_;
  const std::uint64_t task_size_;
  std::vector<Entry> entries_;
  FileGroups groups_;
};

// Makes tasks of entries that follow each other. Entries whose sources overlap are one band, and
// stay in one task where they fit, so that the band is read once.
class Assembly {
 public:
  Assembly(const Layout& layout, Plan& plan) : layout_(layout), plan_(plan) {}

  void add(std::span<const Entry> entries) {
    for (std::size_t i = 0; i < entries.size();) {
      std::uint64_t end = entries[i].source + entries[i].span;
      std::size_t next = i + 1;
      for (; next < entries.size() && entries[next].file == entries[i].file &&
             entries[next].source < end;
           ++next) {
        end = std::max(end, entries[next].source + entries[next].span);
      }
      add_band(entries.subspan(i, next - i));
      i = next;
    }
    close();
  }

 private:
  void add_band(std::span<const Entry> band) {
    std::uint64_t size = 0;
    const OutputRange* last = nullptr;
    for (const Entry& entry : band) size += new_bytes(entry.range, last);
    if (size_ + size > plan_.buffers.task_size) close();
    for (const Entry& entry : band) {
      std::uint64_t more = new_bytes(entry.range, value_);
      if (size_ + more > plan_.buffers.task_size) {
        close();
        more = new_bytes(entry.range, value_);
      }
      size_ += more;
      plan_.ranges.push_back(entry.range);
    }
  }

  // Returns the bytes that the range adds to a task of which `last` is the last range of a value:
  // none where both have the same content. If the range is of a value, sets last to it.
  std::uint64_t new_bytes(const OutputRange& range, const OutputRange*& last) const {
    if (last != nullptr && same_content(layout_, *last, range)) return 0;
    const Segment& segment = layout_.files()[range.file].segments[range.segment];
    if (segment.content == Content::kValue) last = &range;
    return range.size;
  }

  void close() {
    if (plan_.ranges.size() > plan_.first.back()) plan_.first.push_back(plan_.ranges.size());
    size_ = 0;
    value_ = nullptr;
  }

  const Layout& layout_;
  Plan& plan_;
  std::uint64_t size_ = 0;
  const OutputRange* value_ = nullptr;  // the last of the open task, among the entries
};

}  // namespace

bool same_content(const Layout& layout, const OutputRange& a, const OutputRange& b) {
  const Segment& first = layout.files()[a.file].segments[a.segment];
  const Segment& second = layout.files()[b.file].segments[b.segment];
  return first.content == Content::kValue && second.content == Content::kValue &&
         first.index == second.index && a.size == b.size &&
         a.begin - first.offset == b.begin - second.offset;
}

Plan make_plan(const Nodes& nodes, const Layout& layout, const Limits& limits) {
  Plan plan;
  plan.buffers = make_buffers(limits);
  Entries entries(nodes, layout, plan.buffers.task_size);
  for (std::uint32_t i = 0; i < layout.files().size(); ++i) entries.add_file(i);
  const std::vector<Entry> sorted = std::move(entries).sorted();
  plan.ranges.reserve(sorted.size());
  Assembly(layout, plan).add(sorted);
  return plan;
}

}  // namespace ckptbridge
