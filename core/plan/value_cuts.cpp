#include "core/plan/value_cuts.h"

#include <algorithm>
#include <span>
#include <vector>

#include "core/graph/lowering.h"
#include "core/plan/buffers.h"

namespace ckptbridge {
namespace {

// A run, as far as cutting goes; the outermost loop makes its rows. Bytes.
struct Strip {
  std::uint64_t begin;  // of the value
  std::uint64_t end;
  ckb_file file;  // 0: a constant
  std::uint64_t source;
  std::uint64_t rows;  // 1: it lies side by side in source and value
  std::uint64_t source_step;
  std::uint64_t target_step;
  std::uint64_t row_span;  // from a row's first byte in the source to its last
  std::uint64_t from;      // sizes of elements
  std::uint64_t to;

  std::uint64_t size() const { return end - begin; }
};

Strip strip_of(const Nodes& nodes, const Run& run, std::uint64_t begin) {
  Strip strip{};
  const bool is_extent = nodes.op(run.leaf) == Op::kExtent;
  strip.file = is_extent ? nodes.file(run.leaf) : 0;
  strip.source = is_extent ? run.source : 0;
  strip.from = item_size(run.from());
  strip.to = item_size(run.to());
  strip.rows = 1;
  strip.row_span = run.length * strip.from;
  strip.begin = begin + run.target;
  strip.end = strip.begin + run.length * strip.to;
  for (const Loop& loop : run.loops) strip.end += (loop.count - 1) * loop.target_step;
  if (run.loops.empty()) return strip;
  strip.rows = run.loops[0].count;
  strip.source_step = run.loops[0].source_step;
  strip.target_step = run.loops[0].target_step;
  for (std::size_t i = 1; i < run.loops.size(); ++i) {
    strip.row_span += (run.loops[i].count - 1) * run.loops[i].source_step;
  }
  return strip;
}

class Cutter {
 public:
  Cutter(const Nodes& nodes, ckb_node value, std::uint64_t most,
         const std::function<void(const Cut&)>& emit, FileGroups& groups)
      : nodes_(nodes),
        value_(value),
        item_(nodes.item(value)),
        most_(most / item_ * item_),
        emit_(emit),
        groups_(groups) {}

  void run() {
    cut(0, nodes_.size(value_));
    flush();
  }

 private:
  void cut(std::uint64_t begin, std::uint64_t end) {
    std::vector<Strip> strips;
    lower(nodes_, value_, begin / item_, (end - begin) / item_,
          [&](const Run& run) { strips.push_back(strip_of(nodes_, run, begin)); });
    std::sort(strips.begin(), strips.end(),
              [](const Strip& a, const Strip& b) { return a.begin < b.begin; });
    // Strips that interleave belong together; between others, nothing is shared.
    for (std::size_t i = 0; i < strips.size();) {
      std::uint64_t reach = strips[i].end;
      std::size_t next = i + 1;
      for (; next < strips.size() && strips[next].begin < reach; ++next) {
        reach = std::max(reach, strips[next].end);
      }
      interleaved(std::span(strips).subspan(i, next - i), reach);
      i = next;
    }
  }

  void interleaved(std::span<const Strip> strips, std::uint64_t end) {
    const Strip& first = strips.front();
    if (strips.size() == 1 && first.rows == 1) return contiguous(first);
    flush();
    for (const Strip& strip : strips) groups_.add(first.file, strip.file, strip.size());
    const std::uint64_t size = end - first.begin;
    const std::uint64_t step = first.target_step;
    const bool in_rows = first.rows > 1 && size == first.rows * step &&
                         std::all_of(strips.begin(), strips.end(), [&](const Strip& strip) {
                           return strip.rows == first.rows && strip.target_step == step;
                         });
    if (!in_rows) return anywhere(first.begin, end);
    if (step <= most_) return rows(strips);
    for (std::uint64_t i = 0; i < first.rows; ++i) {
      cut(first.begin + i * step, first.begin + (i + 1) * step);
      flush();
    }
  }

  void contiguous(const Strip& strip) {
    for (std::uint64_t done = 0; done < strip.size(); done += most_) {
      const std::uint64_t size = std::min(most_, strip.size() - done);
      add({strip.begin + done, size, strip.file, strip.source + done / strip.to * strip.from,
           strip.source + (done + size) / strip.to * strip.from});
    }
  }

  void rows(std::span<const Strip> strips) {
    const Strip& first = strips.front();
    const auto found = std::find_if(strips.begin(), strips.end(),
                                    [](const Strip& strip) { return strip.file != 0; });
    const Strip& read = found == strips.end() ? first : *found;
    std::uint64_t widest = first.target_step;
    for (const Strip& strip : strips) {
      const std::uint64_t step = strip.source_step / strip.from * strip.to;
      if (step <= most_) widest = std::max(widest, step);
    }
    const std::uint64_t count = most_ / widest;
    for (std::uint64_t row = 0; row < first.rows; row += count) {
      const std::uint64_t n = std::min(count, first.rows - row);
      const std::uint64_t source = read.source + row * read.source_step;
      const std::uint64_t span = (n - 1) * read.source_step + read.row_span;
      const bool near = span <= most_ * kWidestCast;
      emit_({first.begin + row * first.target_step, n * first.target_step, read.file, source,
             near ? source + span : source});
    }
  }

  void anywhere(std::uint64_t begin, std::uint64_t end) {
    for (; begin < end; begin += most_) {
      Cut part{begin, std::min(most_, end - begin), 0, 0, 0};
      lower(nodes_, value_, begin / item_, 1, [&](const Run& run) {
        if (nodes_.op(run.leaf) != Op::kExtent) return;
        part.file = nodes_.file(run.leaf);
        part.source_begin = part.source_end = run.source;
      });
      emit_(part);
    }
  }

  // Small parts that follow each other in the source as in the value become one.
  void add(const Cut& part) {
    const bool near = part.file == pending_.file && part.source_begin >= pending_.source_end &&
                      part.source_begin - pending_.source_end <= most_;
    if (pending_.size > 0 && pending_.size + part.size <= most_ && (near || part.file == 0)) {
      pending_.size += part.size;
      if (part.file != 0) pending_.source_end = part.source_end;
      return;
    }
    flush();
    pending_ = part;
  }

  void flush() {
    if (pending_.size > 0) emit_(pending_);
    pending_ = {};
  }

  const Nodes& nodes_;
  const ckb_node value_;
  const std::uint64_t item_;
  const std::uint64_t most_;
  const std::function<void(const Cut&)>& emit_;
  FileGroups& groups_;
  Cut pending_{};
};

}  // namespace

void cut(const Nodes& nodes, ckb_node value, std::uint64_t most,
         const std::function<void(const Cut&)>& emit, FileGroups& groups) {
  if (nodes.count(value) > 0) Cutter(nodes, value, most, emit, groups).run();
}

}  // namespace ckptbridge
