// Logical tensors: what the model has, however many model-parallel ranks hold parts or copies of
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/graph.h"

namespace ckptbridge {

struct Form {
  Dtype dtype{};
  std::vector<std::int64_t> shape;
  bool operator==(const Form&) const = default;
};

// "[2, 3] of bfloat16".
std::string form_text(const Form& form);
Form form_of(const Nodes& nodes, ckb_node value);

// A tensor without its bytes.
struct TensorLook {
  std::string name;
  std::string role;  // "param" for buffers as well: not every format tells them apart
  Form form;
  // 0 of 1 for a whole tensor. A shard stands for itself.
  std::int32_t mp_rank = 0;
  std::int32_t mp_world_size = 1;
};

struct LogicalTensor : TensorLook {
  ckb_node value = 0;
};

// The tensors of a graph, whole, sorted by name, role and rank. Shards are joined along their
// partition_dim; of replicas, the first is taken; shards of which nobody says how they are split
// stay shards. Adds nodes to the arena. Error CORRUPT, naming the tensor, where the shards of one
// are not those of ranks 0 … N-1 or do not fit together.
std::vector<LogicalTensor> logical_tensors(const Graph& graph);

// The same, with each rank's part or copy as it is.
std::vector<LogicalTensor> shards_of(const Graph& graph);

// Some tensor is split over ranks, and nobody says how.
bool has_unknown_partition(const Graph& graph);

}  // namespace ckptbridge
