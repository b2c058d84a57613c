// Random values, and what they hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "core/graph/nodes.h"

namespace ckptbridge {

// A value's elements, spelled out: for each, the byte in its file where it begins, and above that
// the number of the file, less one.
using Elements = std::vector<std::uint64_t>;
constexpr int kFileShift = 40;

struct Made {
  ckb_node node;
  std::vector<std::int64_t> shape;
  Elements elements;
};

inline std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

inline std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// The elements of shape, each taken from where pick puts its index.
template <class Pick>
Elements gather(const std::vector<std::int64_t>& shape, Pick pick) {
  Elements result;
  std::vector<std::int64_t> index(shape.size(), 0);
  const auto strides = row_major(shape);
  for (std::int64_t i = 0; i < count_of(shape); ++i) {
    std::int64_t rest = i;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      index[d] = rest / strides[d];
      rest %= strides[d];
    }
    result.push_back(pick(index));
  }
  return result;
}

// Makes values of float16 at random, beside a spelled-out copy of what they should hold.
class Maker {
 public:
  // The leaves lie in files 1 … files and have at most so many elements along a dimension.
  explicit Maker(unsigned seed, ckb_file files = 1, std::int64_t largest = 5)
      : files_(files), largest_(largest), random_(seed) {}

  Nodes& nodes() { return nodes_; }
  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
  }

  Made leaf() {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(pick(1, 3)));
    for (auto& size : shape) size = pick(1, largest_);
    std::vector<std::int64_t> strides;
    if (pick(0, 1) == 1) {
      strides = row_major(shape);
      for (auto& stride : strides) stride = stride * pick(1, 2) + pick(0, 1);
    }
    const std::uint64_t offset = static_cast<std::uint64_t>(pick(0, 1000)) * 2;
    const ckb_file file = pick_file();
    const ckb_node node = nodes_.add_extent(file, offset, kFloat16, shape, strides);
    const auto steps = strides.empty() ? row_major(shape) : strides;
    return {node, shape, gather(shape, [&](const auto& index) {
              std::int64_t at = 0;
              for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * steps[d];
              return place(file, offset) + static_cast<std::uint64_t>(at) * 2;
            })};
  }

  Made slice(const Made& in) {
    const auto dim = static_cast<std::size_t>(pick(0, std::ssize(in.shape) - 1));
    const std::int64_t begin = pick(0, in.shape[dim] - 1);
    const std::int64_t end = pick(begin + 1, in.shape[dim]);
    auto shape = in.shape;
    shape[dim] = end - begin;
    const auto steps = row_major(in.shape);
    return {nodes_.add_slice(in.node, static_cast<std::uint32_t>(dim), begin, end), shape,
            gather(shape, [&](std::vector<std::int64_t> index) {
              index[dim] += begin;
              return at(in, index, steps);
            })};
  }

  Made permute(const Made& in) {
    std::vector<std::uint32_t> dims(in.shape.size());
    std::iota(dims.begin(), dims.end(), 0u);
    std::shuffle(dims.begin(), dims.end(), random_);
    std::vector<std::int64_t> shape;
    for (const auto dim : dims) shape.push_back(in.shape[dim]);
    const auto steps = row_major(in.shape);
    return {nodes_.add_permute(in.node, dims), shape, gather(shape, [&](const auto& index) {
              std::vector<std::int64_t> from(index.size());
              for (std::size_t d = 0; d < dims.size(); ++d) from[dims[d]] = index[d];
              return at(in, from, steps);
            })};
  }

  // To any shape of as many elements.
  Made reshape(const Made& in) {
    std::int64_t rest = count_of(in.shape);
    std::vector<std::int64_t> shape;
    while (rest > 1 && shape.size() < 4) {
      std::int64_t size = pick(1, rest);
      while (rest % size != 0) --size;
      shape.push_back(size);
      rest /= size;
    }
    shape.push_back(rest);
    return {nodes_.add_reshape(in.node, shape), shape, in.elements};
  }

  Made concat(const std::vector<Made>& parts, std::size_t dim) {
    auto shape = parts[0].shape;
    shape[dim] = 0;
    std::vector<ckb_node> inputs;
    for (const Made& part : parts) {
      inputs.push_back(part.node);
      shape[dim] += part.shape[dim];
    }
    return {nodes_.add_concat(inputs, static_cast<std::uint32_t>(dim)), shape,
            gather(shape, [&](std::vector<std::int64_t> index) {
              for (const Made& part : parts) {
                if (index[dim] < part.shape[dim]) return at(part, index, row_major(part.shape));
                index[dim] -= part.shape[dim];
              }
              return std::uint64_t{0};
            })};
  }

  Made tree(int depth) {
    Made made = leaf();
    for (int i = 0; i < depth; ++i) {
      switch (pick(0, 3)) {
        case 0:
          made = slice(made);
          break;
        case 1:
          made = permute(made);
          break;
        case 2:
          made = reshape(made);
          break;
        default: {
          const auto dim = static_cast<std::size_t>(pick(0, std::ssize(made.shape) - 1));
          std::vector<Made> parts{made};
          for (std::int64_t k = pick(0, 3); k > 0; --k) {
            auto shape = made.shape;
            shape[dim] = pick(0, largest_ - 1);
            const auto offset = static_cast<std::uint64_t>(pick(0, 1000)) * 2;
            const ckb_file file = pick_file();
            const ckb_node node = nodes_.add_extent(file, offset, kFloat16, shape, {});
            std::uint64_t next = place(file, offset);
            parts.push_back({node, shape, gather(shape, [&](const auto&) {
                               return std::exchange(next, next + 2);
                             })});
          }
          std::shuffle(parts.begin(), parts.end(), random_);
          made = concat(parts, dim);
        }
      }
    }
    return made;
  }

 private:
  static std::uint64_t at(const Made& in, const std::vector<std::int64_t>& index,
                          const std::vector<std::int64_t>& steps) {
    std::int64_t linear = 0;
    for (std::size_t d = 0; d < index.size(); ++d) linear += index[d] * steps[d];
    return in.elements[static_cast<std::size_t>(linear)];
  }

  // No number is drawn where there is one file.
  ckb_file pick_file() { return files_ == 1 ? 1 : static_cast<ckb_file>(pick(1, files_)); }
  static std::uint64_t place(ckb_file file, std::uint64_t offset) {
    return std::uint64_t{file - 1} << kFileShift | offset;
  }

  Nodes nodes_;
  const ckb_file files_;
  const std::int64_t largest_;
  std::mt19937 random_;
};

}  // namespace ckptbridge
