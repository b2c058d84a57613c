// Parameters in the flat groups of ZeRO stage 3.
//
// With W data-parallel ranks, a parameter of n elements is W fragments of ceil(n / W) elements, one
// on each rank; what the fragments have more than n is padding. A rank's flat group is the
// fragments of its parameters, end to end, in the order of param_shapes:
//
//            10 elements  6    1
//   rank 0     [aaaa]   [bb]  [c]
//   rank 1     [aaaa]   [bb]  [-]       - padding
//   rank 2     [aa--]   [bb]  [-]
//
// So the flat groups of all ranks are the rows of a matrix, and a parameter is some of its columns,
// read row by row.
// Source: deepspeed/runtime/zero/partition_parameters.py (_partition_param) and
// utils/zero_to_fp32.py (zero3_partitioned_param_info) of 0.3 to 0.19.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::deepspeed {

struct ParamShape {
  std::string name;
  plugin::Shape shape;
  friend bool operator==(const ParamShape&, const ParamShape&) = default;
};

// Elements of one rank's flat group that are a parameter's. All numbers count elements.
struct Fragment {
  std::int64_t count;    // of the parameter
  std::int64_t begin;    // in the flat group
  std::int64_t size;     // of each rank's fragment
  std::int64_t padding;  // on all ranks together
};

class FlatGroup {
 public:
  // Throws CORRUPT, naming the parameter, for a shape that cannot be.
  FlatGroup(std::vector<ParamShape> params, std::int64_t ranks);

  const std::vector<ParamShape>& params() const { return params_; }
  const Fragment& fragment(std::size_t param) const { return fragments_[param]; }
  // Elements that each rank's flat group has.
  std::int64_t size() const { return size_; }

  // The flat groups of all ranks, by rank, each of one dimension and size(), as one matrix.
  ckb_node matrix(plugin::Graph& out, const std::vector<ckb_node>& flat_groups) const;
  // A parameter in its shape.
  ckb_node value(plugin::Graph& out, ckb_node matrix, std::size_t param) const;
  // Drops its padding.
  void drop_padding(plugin::Graph& out, ckb_node matrix, std::size_t param) const;

 private:
  // Its fragments on all ranks, end to end.
  ckb_node padded(plugin::Graph& out, ckb_node matrix, std::size_t param) const;

  std::vector<ParamShape> params_;
  std::vector<Fragment> fragments_;
  std::int64_t ranks_;
  std::int64_t size_ = 0;
};

}  // namespace ckptbridge::deepspeed
