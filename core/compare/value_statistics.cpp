#include "core/compare/value_statistics.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/compare/compare_values.h"
#include "core/compare/expectations.h"
#include "core/execute/value_reader.h"
#include "core/text/quantities.h"

namespace ckptbridge {
namespace {

constexpr std::uint64_t kSampleSize = 250'000;

// Odd, so that a sample of a matrix meets all of its columns.
std::uint64_t sample_step(std::uint64_t count) {
  return count <= kSampleSize ? 1 : (count / kSampleSize) | 1;
}

// Reads two values side by side.
class Blocks {
 public:
  Blocks(const Arena& arena, ckb_node kept, ckb_node other, const Buffers& buffers)
      : nodes_(arena.nodes),
        kept_(kept),
        other_(other),
        reader_(arena, buffers.scratch_size()),
        kept_bytes_(buffers.task_size),
        other_bytes_(buffers.task_size) {}

  // Calls visit(index of the first element, kept's bytes, other's bytes) for block after block.
  template <class Visit>
  void for_each(Visit&& visit) {
    const std::uint64_t item = nodes_.item(kept_);
    const std::uint64_t most = kept_bytes_.size() / item;
    for (std::uint64_t begin = 0; begin < nodes_.count(kept_); begin += most) {
      const std::uint64_t count = std::min(most, nodes_.count(kept_) - begin);
      const auto kept = std::span(kept_bytes_).first(count * item);
      const auto other = std::span(other_bytes_).first(count * item);
      reader_.read(kept_, begin, count, kept);
      reader_.read(other_, begin, count, other);
      visit(begin, kept, other);
    }
  }

 private:
  const Nodes& nodes_;
  ckb_node kept_;
  ckb_node other_;
  ValueReader reader_;
  std::vector<std::byte> kept_bytes_;
  std::vector<std::byte> other_bytes_;
};

// Appends every step-th element of a value to sample; block begins at this index of it.
void take_sample(std::uint64_t begin, std::span<const std::byte> block, std::uint64_t item,
                 std::uint64_t step, std::vector<std::byte>& sample) {
  const std::uint64_t first = (step - begin % step) % step;
  for (std::uint64_t at = first * item; at < block.size(); at += step * item) {
    const auto element = block.subspan(at, item);
    sample.insert(sample.end(), element.begin(), element.end());
  }
}

void set_range(Statistics& statistics) {
  bool any = false;
  for (const ckb_summary* sum : {&statistics.kept.summary, &statistics.other.summary}) {
    if (sum->count == sum->nan_count + sum->infinite_count) continue;
    statistics.range = {any ? std::min(statistics.range.low, sum->min) : sum->min,
                        any ? std::max(statistics.range.high, sum->max) : sum->max};
    any = true;
  }
  if (statistics.range.low < statistics.range.high) return;
  statistics.range.low -= 0.5;  // as numpy.histogram does
  statistics.range.high += 0.5;
}

std::string value_text(const char* name, const ValueStatistics& value) {
  const ckb_summary& sum = value.summary;
  std::string text = fmt::format("\n    {:<6}", name);
  if (sum.count == sum.nan_count + sum.infinite_count) {
    text += "no finite number";
  } else {
    text += fmt::format("min {:.6g}, quartiles {:.6g}, max {:.6g}", sum.min,
                        fmt::join(value.quartiles, " "), sum.max);
  }
  if (sum.nan_count > 0) text += fmt::format(", {} NaN", count_text(sum.nan_count));
  if (sum.infinite_count > 0) text += fmt::format(", {} infinite", count_text(sum.infinite_count));
  return text;
}

}  // namespace

Statistics statistics_of(const Arena& arena, ckb_node kept, ckb_node other, const Compute& compute,
                         const Buffers& buffers) {
  constexpr std::array<double, 3> kFractions{0.25, 0.5, 0.75};
  const Dtype dtype = arena.nodes.dtype(kept);
  const std::uint64_t item = arena.nodes.item(kept);
  Statistics result;
  result.sample_step = sample_step(arena.nodes.count(kept));

  Blocks blocks(arena, kept, other, buffers);
  std::vector<std::byte> kept_sample;
  std::vector<std::byte> other_sample;
  blocks.for_each(
      [&](std::uint64_t begin, std::span<const std::byte> mine, std::span<const std::byte> theirs) {
        compute.summarise(dtype, mine, result.kept.summary);
        compute.summarise(dtype, theirs, result.other.summary);
        compute.compare(dtype, theirs, dtype, mine, Tolerance{}, result.comparison);
        take_sample(begin, mine, item, result.sample_step, kept_sample);
        take_sample(begin, theirs, item, result.sample_step, other_sample);
      });
  std::ranges::copy(compute.quantiles(dtype, kept_sample, kFractions),
                    result.kept.quartiles.begin());
  std::ranges::copy(compute.quantiles(dtype, other_sample, kFractions),
                    result.other.quartiles.begin());
  set_range(result);
  blocks.for_each([&](std::uint64_t /*begin*/, std::span<const std::byte> mine,
                      std::span<const std::byte> theirs) {
    compute.histogram(dtype, mine, result.range, result.kept.histogram);
    compute.histogram(dtype, theirs, result.range, result.other.histogram);
  });
  return result;
}

std::string statistics_text(const Statistics& statistics, std::span<const std::int64_t> shape) {
  std::string text = value_text("kept", statistics.kept) + value_text("other", statistics.other);
  if (statistics.sample_step > 1) {
    text += fmt::format("\n    quartiles are of every {}th element",
                        count_text(statistics.sample_step));
  }
  const ckb_comparison& pair = statistics.comparison;
  if (pair.max_difference > 0) {
    text += fmt::format("\n    largest difference {:.6g} at {}", pair.max_difference,
                        index_text(pair.max_at, shape));
  }
  text += fmt::format("\n    in {} parts from {:.6g} to {:.6g}:", statistics.kept.histogram.size(),
                      statistics.range.low, statistics.range.high);
  text += fmt::format("\n    kept  {}", fmt::join(statistics.kept.histogram, " "));
  text += fmt::format("\n    other {}", fmt::join(statistics.other.histogram, " "));
  return text;
}

}  // namespace ckptbridge
