// The tensors of a checkpoint of one rank, by name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/plugin.hpp"
#include "plugins/evo2/fit.h"

namespace ckptbridge::evo2 {

class WholeTensors {
 public:
  // Throws UNSUPPORTED for shards. Where no name begins with prefix, it is put before each:
  // Megatron-Bridge leaves out the "module." of NeMo's names.
  WholeTensors(const plugin::ConstGraph& in, std::string_view prefix);

  const std::vector<TensorShape>& found() const { return found_; }
  // nullptr: there is none.
  const plugin::TensorView* find(const std::string& name) const;

 private:
  std::vector<TensorShape> found_;
  std::map<std::string, plugin::TensorView> by_name_;
};

}  // namespace ckptbridge::evo2
