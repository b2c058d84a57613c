#include "core/check.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>

#include <fmt/format.h>

#include "core/convert.h"
#include "core/value_reader.h"

namespace ckptbridge {
namespace {

// A range of the elements of one expectation.
struct Piece {
  std::size_t expectation;
  std::uint64_t begin;
  std::uint64_t count;
};

std::string element_text(Dtype dtype, const std::byte* element) {
  if (dtype == kFloat64 || can_convert(dtype, kFloat64)) {
    double value = 0;
    if (dtype == kFloat64) {
      std::memcpy(&value, element, sizeof(value));
    } else {
      convert(dtype, kFloat64, element, reinterpret_cast<std::byte*>(&value), 1);
    }
    return fmt::format("{:.9g}", value);
  }
  std::string text = "0x";
  for (std::size_t i = item_size(dtype); i-- > 0;) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(element[i]));
  }
  return text;
}

}  // namespace

std::vector<Difference> find_differences(const Arena& arena, const Plan& plan,
                                         const Feedback& feedback) {
  const Nodes& nodes = arena.nodes;
  std::vector<Piece> pieces;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < arena.expectations.size(); ++i) {
    const ckb_node value = arena.expectations[i].kept;
    const std::uint64_t most = plan.task_size / nodes.item(value);
    for (std::uint64_t begin = 0; begin < nodes.count(value); begin += most) {
      pieces.push_back({i, begin, std::min(most, nodes.count(value) - begin)});
    }
    total += nodes.size(value);
  }
  if (pieces.empty()) return {};

  std::vector<Difference> differences;  // of all, until those without one go
  differences.reserve(arena.expectations.size());
  for (std::size_t i = 0; i < arena.expectations.size(); ++i) {
    differences.push_back({i, 0, std::numeric_limits<std::uint64_t>::max(), ""});
  }
  std::mutex mutex;
  const auto make_worker = [&] {
    return [&, reader = ValueReader(arena, plan.scratch_size),
            kept = std::vector<std::byte>(plan.task_size),
            other = std::vector<std::byte>(plan.task_size)](std::uint64_t number) mutable {
      const auto& [index, begin, count] = pieces[number];
      const Expectation& expectation = arena.expectations[index];
      const Dtype dtype = nodes.dtype(expectation.kept);
      const std::size_t item = nodes.item(expectation.kept);
      const std::size_t size = count * item;
      reader.read(expectation.kept, begin, count, std::span(kept).first(size));
      reader.read(expectation.other, begin, count, std::span(other).first(size));
      if (std::memcmp(kept.data(), other.data(), size) == 0) return std::uint64_t{size};
      const std::scoped_lock lock(mutex);
      Difference& difference = differences[index];
      for (std::size_t i = 0; i < size; i += item) {
        if (std::memcmp(kept.data() + i, other.data() + i, item) == 0) continue;
        ++difference.count;
        if (begin + i / item >= difference.first) continue;
        difference.first = begin + i / item;
        difference.values = fmt::format("{} against {}", element_text(dtype, other.data() + i),
                                        element_text(dtype, kept.data() + i));
      }
      return std::uint64_t{size};
    };
  };
  run_workers(plan.threads, pieces.size(), make_worker, "check", total, feedback);

  std::erase_if(differences, [](const Difference& difference) { return difference.count == 0; });
  return differences;
}

std::string index_text(std::uint64_t linear, std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = static_cast<std::int64_t>(linear % static_cast<std::uint64_t>(shape[i]));
    linear /= static_cast<std::uint64_t>(shape[i]);
  }
  return shape_text(index);
}

}  // namespace ckptbridge
