#include "core/compare/compare_within.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/compare_values.h"
#include "core/execute/value_reader.h"
#include "core/text/quantities.h"

namespace ckptbridge {
namespace {

// Elements of a block: a plugin that computes in float64 needs some megabytes for its steps.
constexpr std::uint64_t kBlock = 1u << 16;

// What is known of one pair.
struct Found {
  ckb_comparison numbers = kEmptyComparison;
  std::string problem;  // why there are no numbers although bytes differ; "": there are
};

struct Pair {
  const LogicalTensor* expected;
  const LogicalTensor* found;
};

// One per thread.
class PairReader {
 public:
  PairReader(const Arena& expected, const Arena& found, const Buffers& buffers)
      : expected_arena_(expected),
        found_arena_(found),
        expected_reader_(expected, buffers.scratch_size_of_two()),
        found_reader_(found, buffers.scratch_size_of_two()),
        expected_(buffers.task_size),
        found_(buffers.task_size) {}

  Found compare(const Pair& pair, const Compute& compute, Tolerance tolerance) {
    const Dtype expected_dtype = pair.expected->form.dtype;
    const Dtype found_dtype = pair.found->form.dtype;
    const std::uint64_t expected_item = expected_arena_.nodes.item(pair.expected->value);
    const std::uint64_t found_item = found_arena_.nodes.item(pair.found->value);
    const std::uint64_t count = expected_arena_.nodes.count(pair.expected->value);
    const std::uint64_t most =
        std::min(kBlock, expected_.size() / std::max(expected_item, found_item));
    Found result;
    for (std::uint64_t begin = 0; begin < count; begin += most) {
      const std::uint64_t n = std::min(most, count - begin);
      const auto expected = std::span(expected_).first(n * expected_item);
      const auto found = std::span(found_).first(n * found_item);
      expected_reader_.read(pair.expected->value, begin, n, expected);
      found_reader_.read(pair.found->value, begin, n, found);
      if (expected_dtype == found_dtype &&
          std::memcmp(expected.data(), found.data(), found.size()) == 0) {
        result.numbers.count += n;
        continue;
      }
      try {
        compute.compare(found_dtype, found, expected_dtype, expected, tolerance, result.numbers);
      } catch (const Error& error) {
        if (error.code() != CKB_UNSUPPORTED) throw;
        result.problem = error.what();
        break;
      }
    }
    return result;
  }

 private:
  const Arena& expected_arena_;
  const Arena& found_arena_;
  ValueReader expected_reader_;
  ValueReader found_reader_;
  std::vector<std::byte> expected_;
  std::vector<std::byte> found_;
};

std::string text_of(const Pair& pair, const ckb_comparison& numbers) {
  const auto& shape = pair.expected->form.shape;
  std::string text = fmt::format("{} of {} elements differ", count_text(numbers.differing),
                                 count_text(numbers.count));
  if (numbers.beyond > 0) {
    text += fmt::format(", {} beyond the tolerance, first {}", count_text(numbers.beyond),
                        index_text(numbers.first_beyond, shape));
  }
  if (numbers.max_difference > 0) {
    text += fmt::format("; largest difference {:.6g} at {}, relative {:.6g}, mean {:.6g}",
                        numbers.max_difference, index_text(numbers.max_at, shape),
                        numbers.max_relative, mean_difference(numbers));
  }
  if (!(pair.expected->form.dtype == pair.found->form.dtype)) {
    text += fmt::format("; {}, expected {}", dtype_name(pair.found->form.dtype),
                        dtype_name(pair.expected->form.dtype));
  }
  return text;
}

}  // namespace

Comparison compare_within(const Arena& expected_arena, const std::vector<LogicalTensor>& expected,
                          const Arena& found_arena, const std::vector<LogicalTensor>& found,
                          const Compute& compute, Tolerance tolerance, const Buffers& buffers,
                          const Feedback& feedback) {
  Comparison result;
  std::vector<Pair> pairs;
  for (const auto& [e, f] :
       pair_up(looks_of(expected), looks_of(found), result, /*any_dtype=*/true)) {
    pairs.push_back({&expected[e], &found[f]});
  }
  const auto size_of = [&](const Pair& pair) {
    return expected_arena.nodes.size(pair.expected->value);
  };
  // The largest first: a thread takes one tensor after the other.
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(pairs[a]) > size_of(pairs[b]);
  });
  for (const Pair& pair : pairs) result.bytes += size_of(pair);
  std::vector<Found> all(pairs.size());
  const auto make_worker = [&] {
    return [&, reader =
                   PairReader(expected_arena, found_arena, buffers)](std::uint64_t number) mutable {
      const std::size_t index = order[number];
      all[index] = reader.compare(pairs[index], compute, tolerance);
      return size_of(pairs[index]);
    };
  };
  run_workers(buffers.threads, pairs.size(), make_worker, "compare", result.bytes, feedback);

  result.tensors = pairs.size();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const ckb_comparison& numbers = all[i].numbers;
    if (numbers.differing == 0 && all[i].problem.empty()) continue;
    TensorDifference difference = difference_of(DifferenceKind::kElements, *pairs[i].expected);
    difference.expected = pairs[i].expected->form;
    difference.found = pairs[i].found->form;
    difference.count = numbers.differing;
    if (all[i].problem.empty()) {
      difference.numbers = numbers;
      difference.text = text_of(pairs[i], numbers);
    } else {
      difference.text = "bytes differ, and have no tolerance: " + all[i].problem;
    }
    const bool is_within = all[i].problem.empty() && numbers.beyond == 0;
    (is_within ? result.within_tolerance : result.differences).push_back(std::move(difference));
  }
  return result;
}

}  // namespace ckptbridge
