#include "plugins/evo2/whole_tensors.h"

#include <fmt/format.h>

namespace ckptbridge::evo2 {
namespace {

bool any_begins_with(const plugin::ConstGraph& in, std::string_view prefix) {
  for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
    if (in.tensor(i).name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

WholeTensors::WholeTensors(const plugin::ConstGraph& in, std::string_view prefix) {
  if (any_begins_with(in, prefix)) prefix = "";
  for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
    const plugin::TensorView tensor = in.tensor(i);
    if (tensor.mp_world_size != 1) {
      throw Error(
          CKB_UNSUPPORTED,
          fmt::format("{}: is split over {} ranks", tensor.name, tensor.mp_world_size),
          {.tensor = std::string(tensor.name), .hint = "put mp-resharder mp-size=1 in front"});
    }
    const std::string name = fmt::format("{}{}", prefix, tensor.name);
    found_.push_back({name, {tensor.shape.begin(), tensor.shape.end()}});
    by_name_.emplace(name, tensor);
  }
}

const plugin::TensorView* WholeTensors::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &it->second;
}

}  // namespace ckptbridge::evo2
