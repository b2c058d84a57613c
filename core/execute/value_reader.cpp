#include "core/execute/value_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "core/bytes/float_cast.h"

namespace ckptbridge {
namespace {

// Bytes between two rows of one tensor that are cheaper to read and throw away than to seek over:
// about what one more pread costs (a microsecond) at memory speed.
constexpr std::uint64_t kCheapGap = 4096;

// Contiguous bytes that are worth a read of their own, straight to where they go.
constexpr std::uint64_t kDirect = 32u << 10;

// Bytes that are read before they are cast: they stay in a core's second-level cache.
constexpr std::uint64_t kCastChunk = 256u << 10;

// Runs that wait for each other at most; a bound on memory.
constexpr std::size_t kMaxPending = 2048;

// Elements through all types of the run; neither side needs to be aligned.
void cast_elements(const Run& run, const std::byte* source, std::byte* target, std::size_t count) {
  if (run.dtype_count == 2) return convert(run.dtypes[0], run.dtypes[1], source, target, count);
  constexpr std::size_t kBlock = 256;
  std::array<std::array<std::byte, kBlock * sizeof(double)>, 2> blocks;
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t n = std::min(kBlock, count - done);
    const std::byte* from = source + done * item_size(run.from());
    for (std::size_t i = 1; i < run.dtype_count; ++i) {
      const bool last = i + 1u == run.dtype_count;
      std::byte* to = last ? target + done * item_size(run.to()) : blocks[i % 2].data();
      convert(run.dtypes[i - 1], run.dtypes[i], from, to, n);
      from = to;
    }
  }
}

template <std::size_t kSize>
void copy_strided(const Loop& loop, const std::byte* source, std::byte* target) {
  for (std::uint64_t i = 0; i < loop.count; ++i) {
    std::memcpy(target + i * loop.target_step, source + i * loop.source_step, kSize);
  }
}

std::span<const Loop> loops_of(const Run& run) { return {run.loops.data(), run.loops.size()}; }

std::uint64_t rows_of(std::span<const Loop> loops) {
  std::uint64_t rows = 1;
  for (const Loop& loop : loops) rows *= loop.count;
  return rows;
}

std::uint64_t span_of(std::span<const Loop> loops) {
  std::uint64_t span = 0;
  for (const Loop& loop : loops) span += (loop.count - 1) * loop.source_step;
  return span;
}

std::uint64_t row_size(const Run& run) { return run.length * item_size(run.from()); }

// A band of so many bytes, for rows of which together that many are wanted, is read whole.
bool is_dense(std::uint64_t band, std::uint64_t wanted, std::uint64_t rows) {
  return band <= wanted + rows * kCheapGap;
}

// Places what lies at source according to the run and its given loops.
void scatter(const Run& run, std::span<const Loop> loops, const std::byte* source,
             std::byte* target) {
  if (loops.empty()) {
    if (run.dtype_count > 1) return cast_elements(run, source, target, run.length);
    std::memcpy(target, source, run.length * item_size(run.from()));
    return;
  }
  const Loop& loop = loops.front();
  if (loops.size() == 1 && run.length == 1 && run.dtype_count == 1) {
    switch (item_size(run.from())) {
      case 1:
        return copy_strided<1>(loop, source, target);
      case 2:
        return copy_strided<2>(loop, source, target);
      case 4:
        return copy_strided<4>(loop, source, target);
      case 8:
        return copy_strided<8>(loop, source, target);
      default:
        break;
    }
  }
  for (std::uint64_t i = 0; i < loop.count; ++i) {
    scatter(run, loops.subspan(1), source + i * loop.source_step, target + i * loop.target_step);
  }
}

}  // namespace

ValueReader::ValueReader(const Arena& arena, std::size_t scratch_size)
    : arena_(arena), scratch_(scratch_size) {}

void ValueReader::read(ckb_node value, std::uint64_t begin, std::uint64_t count,
                       std::span<std::byte> target) {
  const ValueRange range{value, begin, count, target};
  read(std::span(&range, 1));
}

void ValueReader::read(std::span<const ValueRange> ranges) {
  const Nodes& nodes = arena_.nodes;
  for (const ValueRange& range : ranges) {
    assert(range.target.size() == range.count * nodes.item(range.value));
    lower(nodes, range.value, range.begin, range.count,
          [&](const Run& run) { add(run, range.target.data() + run.target); });
  }
  flush();
}

void ValueReader::will_need(ckb_node value, std::uint64_t begin, std::uint64_t count) const {
  const Nodes& nodes = arena_.nodes;
  lower(nodes, value, begin, count, [&](const Run& run) {
    if (nodes.op(run.leaf) != Op::kExtent) return;
    const std::uint64_t rows = rows_of(loops_of(run));
    const std::uint64_t band = row_size(run) + span_of(loops_of(run));
    if (!is_dense(band, rows * row_size(run), rows)) return;
    arena_.sources.will_need(nodes.file(run.leaf), run.source, band);
  });
}

void ValueReader::read_source(ckb_file file, std::uint64_t offset,
                              std::span<std::byte> bytes) const {
  arena_.sources.read(file, offset, bytes);
  arena_.checksums.add(arena_.sources, file, offset, bytes);
}

void ValueReader::add(const Run& run, std::byte* target) {
  const Nodes& nodes = arena_.nodes;
  if (nodes.op(run.leaf) == Op::kConstant) {
    return scatter(run, loops_of(run), nodes.constant(run.leaf).data() + run.source, target);
  }
  Pending pending{run, target, nodes.file(run.leaf), row_size(run) + span_of(loops_of(run))};
  if (run.loops.empty() && pending.span >= kDirect) {
    return read_contiguous(pending, run.source, target);
  }
  // Outermost becomes what moves furthest in the source: so it is read forward.
  std::sort(pending.run.loops.begin(), pending.run.loops.end(),
            [](const Loop& a, const Loop& b) { return a.source_step > b.source_step; });
  pending_.push_back(std::move(pending));
  if (pending_.size() == kMaxPending) flush();
}

// Reads what waits, band by band.
void ValueReader::flush() {
  std::sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
    return a.file != b.file ? a.file < b.file : a.run.source < b.run.source;
  });
  for (std::size_t i = 0; i < pending_.size();) {
    const std::uint64_t begin = pending_[i].run.source;
    std::uint64_t end = begin;
    std::uint64_t wanted = 0;
    std::uint64_t rows = 0;
    std::size_t next = i;
    for (; next < pending_.size() && pending_[next].file == pending_[i].file; ++next) {
      const Pending& more = pending_[next];
      const std::uint64_t reach = std::max(end, more.run.source + more.span);
      if (next > i && (more.run.source > end || reach - begin > scratch_.size())) break;
      end = reach;
      rows += rows_of(loops_of(more.run));
      wanted += rows_of(loops_of(more.run)) * row_size(more.run);
    }
    const auto band = std::span(pending_).subspan(i, next - i);
    if (end - begin <= scratch_.size() && is_dense(end - begin, wanted, rows)) {
      read_band(band, end - begin);
    } else {
      for (const Pending& pending : band) read_alone(pending);
    }
    i = next;
  }
  pending_.clear();
}

void ValueReader::read_band(std::span<const Pending> band, std::uint64_t size) {
  const Pending& first = band.front();
  if (band.size() == 1 && first.run.loops.empty()) {
    return read_contiguous(first, first.run.source, first.target);
  }
  const auto bytes = std::span(scratch_).first(size);
  read_source(first.file, first.run.source, bytes);
  for (const Pending& pending : band) {
    const Run& run = pending.run;
    scatter(run, loops_of(run), bytes.data() + (run.source - first.run.source), pending.target);
  }
}

void ValueReader::read_alone(const Pending& pending) {
  read_rows(pending, loops_of(pending.run), pending.run.source, pending.target);
}

// Iterates over the outer loops until what is left is dense, or one row.
void ValueReader::read_rows(const Pending& pending, std::span<const Loop> loops,
                            std::uint64_t source, std::byte* target) {
  if (loops.empty()) return read_contiguous(pending, source, target);
  const Run& run = pending.run;
  const std::uint64_t size = row_size(run) + span_of(loops);
  const std::uint64_t rows = rows_of(loops);
  if (size <= scratch_.size() && is_dense(size, rows * row_size(run), rows)) {
    read_source(pending.file, source, std::span(scratch_).first(size));
    return scatter(run, loops, scratch_.data(), target);
  }
  const Loop& loop = loops.front();
  for (std::uint64_t i = 0; i < loop.count; ++i) {
    read_rows(pending, loops.subspan(1), source + i * loop.source_step,
              target + i * loop.target_step);
  }
}

void ValueReader::read_contiguous(const Pending& pending, std::uint64_t source, std::byte* target) {
  const Run& run = pending.run;
  if (run.dtype_count == 1) {
    return read_source(pending.file, source, std::span(target, row_size(run)));
  }
  const std::uint64_t from = item_size(run.from());
  assert(from > 0);
  const std::uint64_t most = std::min<std::uint64_t>(kCastChunk, scratch_.size()) / from;
  for (std::uint64_t done = 0; done < run.length; done += most) {
    const std::uint64_t count = std::min(most, run.length - done);
    read_source(pending.file, source + done * from, std::span(scratch_).first(count * from));
    cast_elements(run, scratch_.data(), target + done * item_size(run.to()), count);
  }
}

}  // namespace ckptbridge
