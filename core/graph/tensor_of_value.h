// Whose bytes a value is: for people who watch a conversion.
#pragma once

#include <string>
#include <unordered_map>

#include "core/graph/graph.h"

namespace ckptbridge {

class TensorOfValue {
 public:
  // The graph must outlive this, and may get nodes, but no tensors.
  explicit TensorOfValue(const Graph& graph);

  // Returns the name of the tensor that has the value, a part or another form of it; "" where none
  // or several have.
  std::string operator()(ckb_node value) const;

 private:
  const Graph& graph_;
  std::unordered_map<ckb_node, std::size_t> tensors_;  // by value
};

}  // namespace ckptbridge
