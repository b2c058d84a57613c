#include "core/graph/nodes.h"

#include <algorithm>
#include <bit>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/bytes/float_cast.h"

namespace ckptbridge {
namespace {

constexpr std::size_t kMaxDims = 64;  // as torch
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();
// Tasks are cut at multiples of every element's size: complex128 has 16, more is for lanes.
constexpr std::uint64_t kMaxItem = 64;
constexpr std::size_t kMaxConstant = std::size_t{64} << 10;

// Casts along one path. Two serve every flow (a master to half precision, back for an export).
constexpr std::uint8_t kMaxCasts = 4;

// a * b, or no value if it does not fit.
bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& out) {
  return !__builtin_mul_overflow(a, b, &out) && out <= kMaxBytes;
}

void require_dim(std::uint32_t dim, std::size_t ndim, const char* what) {
  if (dim >= ndim) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: dimension {} of a value with {}", what, dim, ndim));
  }
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::uint64_t checked_count(std::span<const std::int64_t> shape, Dtype dtype,
                            const std::string& what) {
  if (shape.size() > kMaxDims) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} dimensions, at most {}", what, shape.size(), kMaxDims));
  }
  if (!std::has_single_bit(item_size(dtype)) || item_size(dtype) > kMaxItem) {
    throw Error(CKB_UNSUPPORTED, fmt::format("{}: elements of {} are not of 1, 2, 4, … {} bytes",
                                             what, dtype_name(dtype), kMaxItem));
  }
  // Zeros must not hide an overflow: the product of the others is bounded, too.
  std::uint64_t bytes = item_size(dtype);
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && !multiply(bytes, static_cast<std::uint64_t>(size), bytes))) {
      throw Error(CKB_CORRUPT, fmt::format("{}: impossible shape {}", what, shape_text(shape)));
    }
    empty = empty || size == 0;
  }
  return empty ? 0 : bytes / item_size(dtype);
}

std::uint64_t strided_span(std::span<const std::int64_t> shape,
                           std::span<const std::int64_t> strides, const std::string& what) {
  if (strides.size() != shape.size()) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: {} strides for {} dimensions", what,
                                                  strides.size(), shape.size()));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::uint64_t reach = 0;
    const bool fits = strides[i] >= 0 && multiply(static_cast<std::uint64_t>(shape[i] - 1),
                                                  static_cast<std::uint64_t>(strides[i]), reach);
    // Both are below 2^63, so their sum does not wrap.
    last += reach;
    if (!fits || last >= kMaxBytes) {
      throw Error(CKB_CORRUPT, fmt::format("{}: impossible strides {}", what, shape_text(strides)));
    }
  }
  return last + 1;
}

Nodes::Node Nodes::make(Op op, Dtype dtype, std::span<const std::int64_t> shape,
                        std::span<const ckb_node> inputs) {
  Node node{};
  node.op = op;
  node.dtype = dtype;
  node.count = checked_count(shape, dtype, "value");
  node.ndim = static_cast<std::uint8_t>(shape.size());
  node.input_count = static_cast<std::uint32_t>(inputs.size());
  for (const ckb_node input : inputs) {
    require(input);
    node.casts = std::max(node.casts, at(input).casts);
  }
  if (numbers_.size() + 2 * shape.size() > std::numeric_limits<std::uint32_t>::max() ||
      inputs_.size() + inputs.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(CKB_UNSUPPORTED, "the checkpoint has more than 4 billion pieces");
  }
  // shape may be a view into numbers_, which the append could move.
  const std::vector<std::int64_t> own(shape.begin(), shape.end());
  node.numbers = static_cast<std::uint32_t>(numbers_.size());
  numbers_.insert(numbers_.end(), own.begin(), own.end());
  if (!inputs.empty()) {
    node.link = static_cast<std::uint32_t>(inputs_.size());
    inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
  }
  return node;
}

ckb_node Nodes::push(const Node& node) {
  if (nodes_.size() >= std::numeric_limits<ckb_node>::max()) {
    throw Error(CKB_UNSUPPORTED, "the checkpoint has more than 4 billion pieces");
  }
  nodes_.push_back(node);
  return static_cast<ckb_node>(nodes_.size());
}

void Nodes::require(ckb_node node) const {
  if (node == 0 || node > nodes_.size()) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("there is no value {}; {} have been made", node, nodes_.size()));
  }
}

std::span<const std::int64_t> Nodes::shape(ckb_node node) const {
  return std::span(numbers_).subspan(at(node).numbers, at(node).ndim);
}

std::span<const std::int64_t> Nodes::strides(ckb_node node) const {
  const Node& n = at(node);
  return n.extra ? std::span(numbers_).subspan(n.numbers + n.ndim, n.ndim)
                 : std::span<const std::int64_t>();
}

std::span<const ckb_node> Nodes::inputs(ckb_node node) const {
  const Node& n = at(node);
  return std::span(inputs_).subspan(n.input_count == 0 ? 0 : n.link, n.input_count);
}

std::span<const std::byte> Nodes::constant(ckb_node node) const {
  return std::span(constants_).subspan(at(node).position, size(node));
}

std::uint64_t Nodes::extent_size(ckb_node node) const {
  const auto steps = strides(node);
  const std::uint64_t elements =
      steps.empty() ? count(node) : strided_span(shape(node), steps, "extent");
  return elements * item_size(dtype(node));
}

ckb_node Nodes::add_extent(ckb_file file, std::uint64_t offset, Dtype dtype,
                           std::span<const std::int64_t> shape,
                           std::span<const std::int64_t> strides) {
  Node node = make(Op::kExtent, dtype, shape, {});
  node.link = file;
  node.position = offset;
  if (!strides.empty()) {
    std::uint64_t bytes = 0;
    if (!multiply(strided_span(shape, strides, "extent"), item_size(dtype), bytes)) {
      throw Error(CKB_CORRUPT, "extent: impossible strides " + shape_text(strides));
    }
    // Strides that say nothing new are not kept: a contiguous extent is the common, cheap case.
    std::int64_t next = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != next) node.extra = node.count > 0;
      next *= shape[i];
    }
    if (node.extra) numbers_.insert(numbers_.end(), strides.begin(), strides.end());
  }
  return push(node);
}

ckb_node Nodes::add_constant(Dtype dtype, std::span<const std::int64_t> shape,
                             std::span<const std::byte> data) {
  Node node = make(Op::kConstant, dtype, shape, {});
  if (data.size() != node.count * item_size(dtype) || data.size() > kMaxConstant) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("constant: {} bytes for {} of {}, at most {}", data.size(),
                            shape_text(shape), dtype_name(dtype), kMaxConstant));
  }
  node.position = constants_.size();
  constants_.insert(constants_.end(), data.begin(), data.end());
  return push(node);
}

ckb_node Nodes::add_slice(ckb_node input, std::uint32_t dim, std::int64_t begin, std::int64_t end) {
  require(input);
  const auto in = shape(input);
  require_dim(dim, in.size(), "slice");
  if (begin < 0 || end < begin || end > in[dim]) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("slice: [{}, {}) of dimension {} of {}", begin,
                                                  end, dim, shape_text(in)));
  }
  std::vector<std::int64_t> out(in.begin(), in.end());
  out[dim] = end - begin;
  Node node = make(Op::kSlice, dtype(input), out, {&input, 1});
  node.dim = dim;
  node.position = static_cast<std::uint64_t>(begin);
  return push(node);
}

ckb_node Nodes::add_concat(std::span<const ckb_node> inputs, std::uint32_t dim) {
  if (inputs.empty()) throw Error(CKB_INVALID_ARGUMENT, "concat: of no values");
  for (const ckb_node input : inputs) require(input);
  const auto first = shape(inputs[0]);
  std::vector<std::int64_t> out(first.begin(), first.end());
  require_dim(dim, out.size(), "concat");
  out[dim] = 0;
  for (const ckb_node input : inputs) {
    const auto in = shape(input);
    bool fits = in.size() == out.size() && dtype(input) == dtype(inputs[0]);
    for (std::size_t i = 0; fits && i < in.size(); ++i) fits = i == dim || in[i] == out[i];
    if (!fits || __builtin_add_overflow(out[dim], in[dim], &out[dim])) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("concat: {} of {} does not continue {} of {} along dimension {}",
                              shape_text(in), dtype_name(dtype(input)), shape_text(first),
                              dtype_name(dtype(inputs[0])), dim));
    }
  }
  Node node = make(Op::kConcat, dtype(inputs[0]), out, inputs);
  node.dim = dim;
  return push(node);
}

ckb_node Nodes::add_reshape(ckb_node input, std::span<const std::int64_t> shape) {
  require(input);
  const Node node = make(Op::kReshape, dtype(input), shape, {&input, 1});
  if (node.count != count(input)) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("reshape: {} has {} elements, {} has {}",
                                                  shape_text(this->shape(input)), count(input),
                                                  shape_text(shape), node.count));
  }
  return push(node);
}

ckb_node Nodes::add_permute(ckb_node input, std::span<const std::uint32_t> dims) {
  require(input);
  const auto in = shape(input);
  std::vector<std::int64_t> out;
  std::vector<bool> seen(in.size());
  for (const std::uint32_t dim : dims) {
    if (dim >= in.size() || seen[dim]) break;
    seen[dim] = true;
    out.push_back(in[dim]);
  }
  if (out.size() != in.size() || dims.size() != in.size()) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("permute: [{}] is not an order of {} dimensions",
                                                  fmt::join(dims, ", "), in.size()));
  }
  Node node = make(Op::kPermute, dtype(input), out, {&input, 1});
  node.extra = true;
  numbers_.insert(numbers_.end(), dims.begin(), dims.end());
  return push(node);
}

ckb_node Nodes::add_cast(ckb_node input, Dtype dtype) {
  require(input);
  if (this->dtype(input) == dtype) return input;
  if (!can_convert(this->dtype(input), dtype)) {
    throw Error(CKB_UNSUPPORTED, fmt::format("cast: {} to {} is not a cast among floats",
                                             dtype_name(this->dtype(input)), dtype_name(dtype)));
  }
  const auto in = shape(input);
  Node node = make(Op::kCast, dtype, std::vector<std::int64_t>(in.begin(), in.end()), {&input, 1});
  if (++node.casts > kMaxCasts) {
    throw Error(CKB_UNSUPPORTED, fmt::format("cast: more than {} casts in a row", kMaxCasts));
  }
  return push(node);
}

}  // namespace ckptbridge
