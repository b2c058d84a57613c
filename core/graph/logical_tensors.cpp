#include "core/graph/logical_tensors.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

std::string common_role(const std::string& role) { return role == "buffer" ? "param" : role; }

LogicalTensor make_tensor(const Graph& graph, const Tensor& tensor, ckb_node value) {
  return {{tensor.name, common_role(tensor.role), form_of(graph.arena().nodes, value)}, value};
}

LogicalTensor make_shard(const Graph& graph, const Tensor& tensor) {
  LogicalTensor shard = make_tensor(graph, tensor, tensor.value);
  shard.mp_rank = tensor.mp_rank;
  shard.mp_world_size = tensor.mp_world_size;
  return shard;
}

bool is_before(const LogicalTensor& a, const LogicalTensor& b) {
  return std::tie(a.name, a.role, a.mp_rank) < std::tie(b.name, b.role, b.mp_rank);
}

// Ranks 0 … N-1 of N, by rank.
void require_all_ranks(const std::vector<const Tensor*>& shards) {
  const Tensor& first = *shards.front();
  bool whole = shards.size() == static_cast<std::size_t>(first.mp_world_size);
  for (std::size_t rank = 0; rank < shards.size(); ++rank) {
    whole = whole && shards[rank]->mp_rank == static_cast<std::int32_t>(rank) &&
            shards[rank]->mp_world_size == first.mp_world_size &&
            shards[rank]->partition_dim == first.partition_dim;
  }
  if (!whole) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: its {} shards are not those of {} ranks, split in "
                            "one way",
                            first.name, shards.size(), first.mp_world_size),
                {.tensor = first.name});
  }
}

ckb_node joined(Nodes& nodes, const std::vector<const Tensor*>& shards) {
  require_all_ranks(shards);
  if (shards.size() == 1) return shards.front()->value;
  std::vector<ckb_node> values;
  values.reserve(shards.size());
  for (const Tensor* shard : shards) values.push_back(shard->value);
  const Tensor& first = *shards.front();
  try {
    return nodes.add_concat(values, static_cast<std::uint32_t>(first.partition_dim));
  } catch (const Error& error) {
    throw Error(CKB_CORRUPT, fmt::format("{}: {}", first.name, error.what()),
                {.tensor = first.name});
  }
}

}  // namespace

std::string form_text(const Form& form) {
  return fmt::format("{} of {}", shape_text(form.shape), dtype_name(form.dtype));
}

Form form_of(const Nodes& nodes, ckb_node value) {
  const auto shape = nodes.shape(value);
  return {nodes.dtype(value), {shape.begin(), shape.end()}};
}

std::vector<LogicalTensor> shards_of(const Graph& graph) {
  std::vector<LogicalTensor> result;
  result.reserve(graph.tensors().size());
  for (const Tensor& tensor : graph.tensors()) {
    result.push_back(make_shard(graph, tensor));
  }
  std::sort(result.begin(), result.end(), is_before);
  return result;
}

std::vector<LogicalTensor> logical_tensors(const Graph& graph) {
  std::map<std::pair<std::string, std::string>, std::vector<const Tensor*>> by_name;
  for (const Tensor& tensor : graph.tensors()) {
    by_name[{tensor.name, tensor.role}].push_back(&tensor);
  }
  std::vector<LogicalTensor> result;
  for (auto& [key, shards] : by_name) {
    std::sort(shards.begin(), shards.end(),
              [](const Tensor* a, const Tensor* b) { return a->mp_rank < b->mp_rank; });
    const Tensor& first = *shards.front();
    if (first.partition_dim == CKB_REPLICATED) {
      result.push_back(make_tensor(graph, first, first.value));
    } else if (first.partition_dim >= 0 || first.mp_world_size == 1) {
      result.push_back(make_tensor(graph, first, joined(graph.arena().nodes, shards)));
    } else {
      for (const Tensor* shard : shards) result.push_back(make_shard(graph, *shard));
    }
  }
  std::sort(result.begin(), result.end(), is_before);
  return result;
}

bool has_unknown_partition(const Graph& graph) {
  return std::any_of(graph.tensors().begin(), graph.tensors().end(), [](const Tensor& tensor) {
    return tensor.mp_world_size > 1 && tensor.partition_dim == CKB_PARTITION_UNKNOWN;
  });
}

}  // namespace ckptbridge
