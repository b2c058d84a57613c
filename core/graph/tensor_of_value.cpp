#include "core/graph/tensor_of_value.h"

namespace ckptbridge {

TensorOfValue::TensorOfValue(const Graph& graph) : graph_(graph) {
  for (std::size_t i = 0; i < graph.tensors().size(); ++i) {
    tensors_.emplace(graph.tensors()[i].value, i);
  }
}

std::string TensorOfValue::operator()(ckb_node value) const {
  const Nodes& nodes = graph_.arena().nodes;
  while (true) {
    const auto found = tensors_.find(value);
    if (found != tensors_.end()) return graph_.tensors()[found->second].name;
    const Op op = nodes.op(value);
    if (op == Op::kExtent || op == Op::kConstant || nodes.inputs(value).size() != 1) return "";
    value = nodes.inputs(value)[0];
  }
}

}  // namespace ckptbridge
