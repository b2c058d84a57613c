#include "tests/unit/conformance/source.h"

#include <functional>
#include <numeric>

namespace ckptbridge {
namespace {

using Shape = std::vector<std::int64_t>;

std::int64_t count_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// Bytes of which no two elements in a row are equal: all patterns of an element of up to 16 bits,
// in their order, and scattered ones of wider elements, NaNs with payloads among them.
std::string patterns(Dtype dtype, std::int64_t count, std::uint64_t seed = 1) {
  std::string bytes;
  const std::uint64_t size = item_size(dtype);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    std::uint64_t bits = i + seed - 1;
    for (std::uint64_t byte = 0; byte < size; ++byte) {
      if (size > 2 && byte % 8 == 0) bits = (bits + seed + i) * 0x9E3779B97F4A7C15u ^ (bits >> 29);
      bytes += static_cast<char>(bits >> byte % 8 * 8);
    }
  }
  return bytes;
}

SourceTensor contiguous(std::string name, const Shape& shape, Dtype dtype = kFloat32,
                        std::uint64_t seed = 1) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = shape,
          .stored = patterns(dtype, count_of(shape), seed)};
}

// A view of a storage of so many elements.
SourceTensor view(std::string name, const Shape& shape, const Shape& strides, std::int64_t offset,
                  std::int64_t stored, Dtype dtype = kFloat32) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = shape,
          .stored = patterns(dtype, stored),
          .strides = strides,
          .offset = offset};
}

SourceTensor tied(std::string name, const SourceTensor& other) {
  SourceTensor tensor = other;
  tensor.name = std::move(name);
  tensor.tied_to = other.name;
  return tensor;
}

SourceTensor of_rank(SourceTensor tensor, std::int32_t rank, std::int32_t world) {
  tensor.mp_rank = rank;
  tensor.mp_world_size = world;
  return tensor;
}

SourceTensor with_role(SourceTensor tensor, const std::string& role) {
  tensor.role = role;
  return tensor;
}

void add_dtypes(std::vector<Case>& cases) {
  for (const auto& [dtype, name] : detail::kDtypeNames) {
    const std::int64_t count = item_size(dtype) <= 2 ? std::int64_t{1} << dtype.bits : 4099;
    cases.push_back({std::string(name), {contiguous("w", {count}, dtype)}});
  }
}

void add_forms(std::vector<Case>& cases) {
  cases.push_back({"no_elements",
                   {contiguous("w", {0}), contiguous("rows", {3, 0}, kBFloat16),
                    contiguous("columns", {0, 4}, kInt8)}});
  cases.push_back({"no_elements_beside_some", {contiguous("w", {0, 7}), contiguous("other", {5})}});
  cases.push_back({"no_dimensions", {contiguous("w", {}), contiguous("step", {}, kInt64)}});
  cases.push_back({"many_dimensions", {contiguous("w", {2, 1, 3, 1, 2, 2, 1, 5})}});
  cases.push_back({"one_element", {contiguous("w", {1, 1, 1}, kUInt8)}});
  cases.push_back({"larger_than_a_task", {contiguous("w", {700, 1031})}});
  const SourceTensor embedding = contiguous("embedding", {6, 4});
  cases.push_back({"tied", {embedding, tied("head", embedding)}});
  const SourceTensor empty = contiguous("embedding", {0, 4});
  cases.push_back({"tied_without_elements", {empty, tied("head", empty)}});
  cases.push_back({"transposed", {view("w", {5, 3}, {1, 5}, 0, 15)}});
  cases.push_back({"transposed_and_larger_than_a_task",
                   {view("w", {600, 1100}, {1, 600}, 0, 600 * 1100, kBFloat16)}});
  cases.push_back({"sliced_rows", {view("w", {2, 4}, {}, 8, 24)}});
  cases.push_back({"sliced_columns", {view("w", {5, 3}, {7, 1}, 2, 35)}});
  cases.push_back({"every_second_element", {view("w", {6}, {2}, 1, 12, kInt16)}});
  cases.push_back({"expanded", {view("w", {3, 4}, {0, 1}, 0, 4)}});
}

void add_names(std::vector<Case>& cases) {
  const auto add = [&](const std::string& name, const std::string& tensor) {
    cases.push_back({name, {contiguous(tensor, {3, 2}), contiguous("other", {2})}});
  };
  add("non_ascii_name", "gr\u00f6\u00dfe.\u65e5\u672c.\u0432\u0435\u0441.\U0001F9EC");
  add("name_with_slash", "layers/0/weight");
  add("name_dot", ".");
  add("name_dots", "..");
  add("name_that_climbs", "../../w");
  add("absolute_name", "/tmp/w");
  add("name_with_trailing_slash", "w/");
  add("name_with_backslash", "layers\\w");
  add("name_with_quotes", "w\"'{}");
  add("name_with_spaces", " w w ");
  add("name_with_brackets", "w[0]%s*?");
  add("long_name", std::string(300, 'n'));
  add("longest_name", std::string(4096, 'n'));
  add("name_of_a_lock", "w.sync");
  add("name_of_optimizer_state", "optimizer.w");
  add("name_of_a_file_beside", "common.pt");
  add("name_of_metadata_beside", "metadata.json");
  add("name_metadata", "__metadata__");
  add("name_of_a_dict", "module");
  cases.push_back(
      {"name_in_another_letter_case", {contiguous("w", {2}), contiguous("W", {2}, kFloat32, 9)}});
}

void add_ranks(std::vector<Case>& cases) {
  Case replicated{"replicated_ranks", {}};
  Case sharded{"sharded_ranks", {}};
  for (std::int32_t rank = 0; rank < 3; ++rank) {
    replicated.tensors.push_back(of_rank(contiguous("norm", {7}), rank, 3));
    const auto seed = static_cast<std::uint64_t>(rank) * 100 + 1;
    sharded.tensors.push_back(of_rank(contiguous("w", {4, 2}, kBFloat16, seed), rank, 3));
  }
  cases.push_back(replicated);
  cases.push_back(sharded);
  cases.push_back({"buffer", {with_role(contiguous("inv_freq", {8}), "buffer")}});
  cases.push_back({"optimizer_state", {with_role(contiguous("w", {4}), "exp_avg")}});
  cases.push_back({"optimizer_state_beside_its_parameter",
                   {with_role(contiguous("w", {4}), "exp_avg_sq"), contiguous("w", {4})}});
}

}  // namespace

std::string SourceTensor::content() const {
  const std::uint64_t size = item_size(dtype);
  std::string result;
  for (std::int64_t i = 0; i < count_of(shape); ++i) {
    std::int64_t at = offset;
    std::int64_t rest = i;
    std::int64_t row = 1;
    for (std::size_t dim = shape.size(); dim-- > 0;) {
      at += rest % shape[dim] * (strides.empty() ? row : strides[dim]);
      rest /= shape[dim];
      row *= shape[dim];
    }
    result += stored.substr(static_cast<std::uint64_t>(at) * size, size);
  }
  return result;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> made;
    add_dtypes(made);
    add_forms(made);
    add_names(made);
    add_ranks(made);
    return made;
  }();
  return all;
}

}  // namespace ckptbridge
