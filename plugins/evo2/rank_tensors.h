// The tensors of a checkpoint of several model-parallel ranks, brought together by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/plugin.hpp"
#include "plugins/evo2/names.h"

namespace ckptbridge::evo2 {

// What one rank holds of a tensor.
struct Shard {
  ckb_node value;
  plugin::Shape shape;
  Dtype dtype;
  std::uint32_t flags;
};

struct RankTensor {
  std::string name;
  std::string role;
  std::vector<Shard> shards;  // by rank; all of one shape and dtype
};

// In rank 0's order. Throws CORRUPT that names tensors and ranks: a tensor that not every rank has,
// or of which the ranks have different shapes or dtypes.
std::vector<RankTensor> tensors_by_name(const plugin::ConstGraph& in);

// Throws UNSUPPORTED, naming all tensors that the table does not know, and what stands among them
// but is no tensor: nobody can say how they are split.
void require_known(const plugin::ConstGraph& in, const NameTable& names);

// Throws CORRUPT where "iteration" or "global_steps" of two ranks differ.
void require_same_step(const plugin::ConstGraph& in);

std::vector<plugin::ObjectView> objects_of(const plugin::ConstGraph& in);
bool is_extra_state(std::string_view name);

}  // namespace ckptbridge::evo2
