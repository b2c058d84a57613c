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

// Returns the tensors of a graph, whole, sorted by name, role and rank. Joins shards along their
// partition_dim, and takes the first of several replicas; shards of which nobody says how they are
// split stay shards. Adds nodes to the arena. Throws CORRUPT, naming the tensor, where its shards
// are not those of ranks 0 to N-1 or do not fit together.
std::vector<LogicalTensor> logical_tensors(const Graph& graph);

// Returns the tensors of a graph, sorted likewise, with each rank's part or copy as it is.
std::vector<LogicalTensor> shards_of(const Graph& graph);

// Returns true where a tensor is split over ranks and nobody says how.
bool has_unknown_partition(const Graph& graph);

}  // namespace ckptbridge
