#include "core/value_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "core/convert.h"

namespace ckptbridge {
namespace {

// Bytes between two rows that are cheaper to read and throw away than to seek over: about what one
// more pread costs (a microsecond) at memory speed.
constexpr std::uint64_t kCheapGap = 4096;

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

// Brings the bytes of one run from its file.
struct ValueReader::Gather {
  const Run& run;
  const Sources& sources;
  ckb_file file;
  std::span<std::byte> scratch;
  std::span<std::byte> target;
  boost::container::small_vector<Loop, 4> loops;  // largest source step first

  void visit(std::size_t depth, std::uint64_t source, std::uint64_t at) {
    const std::uint64_t row = run.length * item_size(run.from());
    std::uint64_t span = row;
    std::uint64_t rows = 1;
    for (std::size_t i = depth; i < loops.size(); ++i) {
      span += (loops[i].count - 1) * loops[i].source_step;
      rows *= loops[i].count;
    }
    if (depth == loops.size()) return contiguous(source, at);
    if (span <= scratch.size() && span <= rows * row + (rows - 1) * kCheapGap) {
      sources.read(file, source, scratch.first(span));
      const auto inner = std::span(loops.data(), loops.size()).subspan(depth);
      return scatter(run, inner, scratch.data(), target.data() + at);
    }
    for (std::uint64_t i = 0; i < loops[depth].count; ++i) {
      visit(depth + 1, source + i * loops[depth].source_step, at + i * loops[depth].target_step);
    }
  }

  void contiguous(std::uint64_t source, std::uint64_t at) {
    const std::uint64_t from = item_size(run.from());
    assert(from > 0);
    if (run.dtype_count == 1) {
      sources.read(file, source, target.subspan(at, run.length * from));
      return;
    }
    const std::uint64_t most = scratch.size() / from;
    for (std::uint64_t done = 0; done < run.length; done += most) {
      const std::uint64_t count = std::min(most, run.length - done);
      sources.read(file, source + done * from, scratch.first(count * from));
      cast_elements(run, scratch.data(), target.data() + at + done * item_size(run.to()), count);
    }
  }
};

void ValueReader::read(ckb_node value, std::uint64_t begin, std::uint64_t count,
                       std::span<std::byte> target) {
  const Nodes& nodes = arena_.nodes;
  assert(target.size() == count * item_size(nodes.dtype(value)));
  lower(nodes, value, begin, count, [&](const Run& run) {
    if (nodes.op(run.leaf) == Op::kConstant) {
      const std::byte* data = nodes.constant(run.leaf).data() + run.source;
      const std::span<const Loop> loops(run.loops.data(), run.loops.size());
      return scatter(run, loops, data, target.data() + run.target);
    }
    Gather gather{
        run, arena_.sources, nodes.file(run.leaf), scratch_, target.subspan(run.target), run.loops};
    std::sort(gather.loops.begin(), gather.loops.end(),
              [](const Loop& a, const Loop& b) { return a.source_step > b.source_step; });
    gather.visit(0, run.source, 0);
  });
}

}  // namespace ckptbridge
