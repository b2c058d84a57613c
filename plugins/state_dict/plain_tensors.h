// What a file of names and tensors, and nothing else, holds of a graph.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::state_dict {

struct PlainTensor {
  std::string name;
  ckb_node value;  // the same in two of them: tied
  Dtype dtype;
  plugin::Shape shape;

  // The host has checked that this product can be counted.
  std::uint64_t size() const {
    std::uint64_t size = item_size(dtype);
    for (const std::int64_t n : shape) size *= static_cast<std::uint64_t>(n);
    return size;
  }
};

// Throws UNSUPPORTED, naming the tensor, for a shard of several ranks, and for a role other than
// param and buffer: files of weights alone hold neither.
void require_whole_weight(const plugin::TensorView& tensor);

// All tensors of a graph of one rank, and the extra states that are a contiguous tensor each, in
// the order of the graph. Other objects are dropped with a reason. Throws as
// require_whole_weight(), and CORRUPT where two have one name. The object of the name `other` is
// left to the caller.
std::vector<PlainTensor> plain_tensors(plugin::Graph& graph, std::string_view other = "");

}  // namespace ckptbridge::state_dict
