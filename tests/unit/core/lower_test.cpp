#include "core/lower.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ckptbridge {
namespace {

// A value's elements, spelled out: the byte in the file where each one begins.
using Elements = std::vector<std::uint64_t>;

struct Made {
  ckb_node node;
  std::vector<std::int64_t> shape;
  Elements elements;
};

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
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

// Makes values at random, beside a spelled-out copy of what they should hold.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  Nodes& nodes() { return nodes_; }
  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
  }

  Made leaf() {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(pick(1, 3)));
    for (auto& size : shape) size = pick(1, 5);
    std::vector<std::int64_t> strides;
    if (pick(0, 1) == 1) {
      strides = row_major(shape);
      for (auto& stride : strides) stride = stride * pick(1, 2) + pick(0, 1);
    }
    const std::uint64_t offset = static_cast<std::uint64_t>(pick(0, 1000)) * 2;
    const ckb_node node = nodes_.add_extent(1, offset, kFloat16, shape, strides);
    const auto steps = strides.empty() ? row_major(shape) : strides;
    return {node, shape, gather(shape, [&](const auto& index) {
              std::int64_t at = 0;
              for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * steps[d];
              return offset + static_cast<std::uint64_t>(at) * 2;
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
            shape[dim] = pick(0, 4);
            const auto offset = static_cast<std::uint64_t>(pick(0, 1000)) * 2;
            const ckb_node node = nodes_.add_extent(1, offset, kFloat16, shape, {});
            std::uint64_t next = offset;
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

  Nodes nodes_;
  std::mt19937 random_;
};

// Where each element of the range comes from, according to the runs; fails if one is written twice.
Elements spread(const Nodes& nodes, ckb_node node, std::uint64_t begin, std::uint64_t count,
                std::uint64_t item = 2) {
  constexpr std::uint64_t kUnset = ~std::uint64_t{0};
  Elements result(count, kUnset);
  lower(nodes, node, begin, count, [&](const Run& run) {
    std::vector<std::uint64_t> index(run.loops.size(), 0);
    const auto step = [&] {
      for (std::size_t i = index.size(); i-- > 0;) {
        if (++index[i] < run.loops[i].count) return true;
        index[i] = 0;
      }
      return false;
    };
    do {
      std::uint64_t source = run.source;
      std::uint64_t target = run.target;
      for (std::size_t i = 0; i < index.size(); ++i) {
        source += index[i] * run.loops[i].source_step;
        target += index[i] * run.loops[i].target_step;
      }
      for (std::uint64_t k = 0; k < run.length; ++k) {
        const std::uint64_t at = target / item + k;
        ASSERT_LT(at, count);
        EXPECT_EQ(result[at], kUnset) << "element " << at << " is made twice";
        result[at] = source + k * item_size(run.from());
      }
    } while (step());
  });
  return result;
}

std::size_t run_count(const Nodes& nodes, ckb_node node) {
  std::size_t count = 0;
  lower(nodes, node, 0, nodes.count(node), [&](const Run&) { ++count; });
  return count;
}

TEST(Lower, FindsEachElementOfAnyTreeForAnyRange) {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    Maker maker(seed);
    const Made made = maker.tree(static_cast<int>(maker.pick(0, 6)));
    const auto count = static_cast<std::int64_t>(made.elements.size());
    ASSERT_EQ(spread(maker.nodes(), made.node, 0, made.elements.size()), made.elements)
        << "seed " << seed;
    for (int i = 0; i < 3; ++i) {
      const std::int64_t begin = maker.pick(0, count);
      const std::int64_t end = maker.pick(begin, count);
      ASSERT_EQ(spread(maker.nodes(), made.node, static_cast<std::uint64_t>(begin),
                       static_cast<std::uint64_t>(end - begin)),
                Elements(made.elements.begin() + begin, made.elements.begin() + end))
          << "seed " << seed << ", elements " << begin << " to " << end;
    }
  }
}

TEST(Lower, KeepsAJoinAlongDimensionOneAsOneRunForEachRank) {
  Nodes nodes;
  std::vector<ckb_node> shards;
  for (ckb_file rank = 1; rank <= 8; ++rank) {
    const std::int64_t shape[] = {4096, 1376};
    shards.push_back(nodes.add_extent(rank, 64, kBFloat16, shape, {}));
  }
  EXPECT_EQ(run_count(nodes, nodes.add_concat(shards, 1)), 8u);
}

TEST(Lower, KeepsATruncationOfColumnsAsOneRun) {
  Nodes nodes;
  const std::int64_t shape[] = {512, 1048576};
  const ckb_node filter = nodes.add_extent(1, 0, kFloat32, shape, {});
  EXPECT_EQ(run_count(nodes, nodes.add_slice(filter, 1, 0, 128)), 1u);
}

TEST(Lower, KeepsFlatFragmentsAsOneRunEach) {
  Nodes nodes;
  std::vector<ckb_node> fragments;
  for (ckb_file rank = 1; rank <= 4; ++rank) {
    const std::int64_t flat[] = {1021};
    fragments.push_back(nodes.add_extent(rank, 0, kFloat32, flat, {}));
  }
  const ckb_node whole = nodes.add_concat(fragments, 0);
  const std::int64_t shape[] = {7, 583};
  EXPECT_EQ(run_count(nodes, nodes.add_reshape(nodes.add_slice(whole, 0, 0, 4081), shape)), 4u);
}

TEST(Lower, NamesTheTypesThatAnElementPassesThrough) {
  Nodes nodes;
  const std::int64_t shape[] = {3};
  const ckb_node wide = nodes.add_extent(1, 0, kFloat64, shape, {});
  const ckb_node narrow = nodes.add_cast(nodes.add_cast(wide, kFloat32), kBFloat16);
  lower(nodes, narrow, 1, 2, [](const ckptbridge::Run& run) {
    ASSERT_EQ(run.dtype_count, 3);
    EXPECT_EQ(run.from(), kFloat64);
    EXPECT_EQ(run.dtypes[1], kFloat32);
    EXPECT_EQ(run.to(), kBFloat16);
    EXPECT_EQ(run.source, 8u);
    EXPECT_EQ(run.length, 2u);
  });
}

}  // namespace
}  // namespace ckptbridge
