// Values of a run: extents of input files, small constants, and operations on other values.
//
// One arena holds the nodes of a whole run, so that a transform's graph can point into the
// reader's. Nodes are immutable and 32-bit ids: a ZeRO-3 checkpoint has 1.5 million of them.
// Nothing here reads a byte of the input.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "ckptbridge/plugin.h"

namespace ckptbridge {

enum class Op : std::uint8_t { kExtent, kConstant, kSlice, kConcat, kReshape, kPermute, kCast };

// Returns the number of elements of shape. Throws CORRUPT, naming what, if a size is negative or
// the number of bytes does not fit 63 bits. Sizes are checked before they are multiplied, zeros
// included.
std::uint64_t checked_count(std::span<const std::int64_t> shape, Dtype dtype,
                            const std::string& what);

// "[2, 3]".
std::string shape_text(std::span<const std::int64_t> shape);

// Returns how many elements a strided view of this shape spans, from its first to its last; 0 if
// the view has none. Throws CORRUPT, naming what, on negative strides or overflow.
std::uint64_t strided_span(std::span<const std::int64_t> shape,
                           std::span<const std::int64_t> strides, const std::string& what);

class Nodes {
 public:
  // Each add_… returns the new node, or throws INVALID_ARGUMENT or CORRUPT. strides are in
  // elements; none: contiguous, row-major.
  ckb_node add_extent(ckb_file file, std::uint64_t offset, Dtype dtype,
                      std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);
  ckb_node add_constant(Dtype dtype, std::span<const std::int64_t> shape,
                        std::span<const std::byte> data);
  ckb_node add_slice(ckb_node input, std::uint32_t dim, std::int64_t begin, std::int64_t end);
  ckb_node add_concat(std::span<const ckb_node> inputs, std::uint32_t dim);
  ckb_node add_reshape(ckb_node input, std::span<const std::int64_t> shape);
  ckb_node add_permute(ckb_node input, std::span<const std::uint32_t> dims);
  ckb_node add_cast(ckb_node input, Dtype dtype);

  // Throws INVALID_ARGUMENT if there is no such node.
  void require(ckb_node node) const;

  Op op(ckb_node node) const { return at(node).op; }
  Dtype dtype(ckb_node node) const { return at(node).dtype; }
  // The span is valid until the next node is added.
  std::span<const std::int64_t> shape(ckb_node node) const;
  std::uint64_t count(ckb_node node) const { return at(node).count; }  // elements
  std::uint64_t item(ckb_node node) const {                            // bytes of one; never 0
    const std::uint64_t size = item_size(dtype(node));
    assert(size > 0);
    return size;
  }
  std::uint64_t size(ckb_node node) const { return count(node) * item(node); }

  // Of an extent: its file, the byte offset of its first element, and its strides in elements
  // (empty: contiguous).
  ckb_file file(ckb_node node) const { return at(node).link; }
  std::uint64_t offset(ckb_node node) const { return at(node).position; }
  std::span<const std::int64_t> strides(ckb_node node) const;
  // Bytes from offset() to the end of the last element.
  std::uint64_t extent_size(ckb_node node) const;

  std::span<const std::byte> constant(ckb_node node) const;
  // Of an operation: what it works on (one node; several for a concat), its dimension (slice,
  // concat), where a slice begins, and where each output dimension of a permute comes from.
  std::span<const ckb_node> inputs(ckb_node node) const;
  std::uint32_t dim(ckb_node node) const { return at(node).dim; }
  std::uint64_t begin(ckb_node node) const { return at(node).position; }
  std::span<const std::int64_t> permutation(ckb_node node) const { return strides(node); }

  std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }

 private:
  // numbers_ holds ndim sizes at numbers; behind them, if extra, ndim strides or permuted dims.
  // link: the file of an extent; the first of input_count nodes in inputs_ of an operation.
  struct Node {
    std::uint64_t count;
    std::uint64_t position;
    std::uint32_t numbers;
    std::uint32_t link;
    std::uint32_t input_count;
    std::uint32_t dim;
    Dtype dtype;
    Op op;
    std::uint8_t ndim;
    bool extra;
    std::uint8_t casts;  // casts below and including this node, along the deepest path
  };

  const Node& at(ckb_node node) const { return nodes_[node - 1]; }
  Node make(Op op, Dtype dtype, std::span<const std::int64_t> shape,
            std::span<const ckb_node> inputs);
  ckb_node push(const Node& node);

  std::vector<Node> nodes_;
  std::vector<std::int64_t> numbers_;
  std::vector<ckb_node> inputs_;
  std::vector<std::byte> constants_;
};

}  // namespace ckptbridge
