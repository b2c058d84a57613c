#include "plugins/state_dict/plain_tensors.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::state_dict {
namespace {

namespace tf = ckptbridge::torch_file;
using plugin::Graph;
using plugin::ObjectView;
using plugin::TensorView;

bool is_extra_state(std::string_view name) { return name.ends_with("_extra_state"); }

PlainTensor plain(const TensorView& tensor) {
  require_whole_weight(tensor);
  return {std::string(tensor.name),
          tensor.value,
          tensor.dtype,
          {tensor.shape.begin(), tensor.shape.end()}};
}

// The object as a tensor; nothing, where it is none, or one whose bytes do not lie in a row.
std::optional<PlainTensor> plain(Graph& graph, const ObjectView& object) {
  if (object.kind != "pickle") return std::nullopt;
  const std::string name(object.name);
  tf::Values values;
  const auto tensor = tf::read_tensor(values, tf::unpickle(values, object.data, name).root, name);
  if (!tensor || !tensor->is_contiguous() || tensor->storage.dtype != tensor->dtype) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < object.storages.size(); ++i) {
    if (tensor->storage.key != std::to_string(i)) continue;
    const auto begin = static_cast<std::int64_t>(tensor->offset);
    const auto count = static_cast<std::int64_t>(tensor->count());
    const ckb_node elements = graph.slice(object.storages[i], 0, begin, begin + count);
    return PlainTensor{name, graph.reshape(elements, tensor->shape), tensor->dtype, tensor->shape};
  }
  throw Error(CKB_CORRUPT,
              name + ": names a storage \"" + tensor->storage.key + "\" that it lacks");
}

}  // namespace

void require_whole_weight(const TensorView& tensor) {
  const std::string name(tensor.name);
  if (tensor.mp_world_size != 1) {
    throw Error(CKB_UNSUPPORTED,
                name + ": is split over " + std::to_string(tensor.mp_world_size) + " ranks",
                {.tensor = name, .hint = "put mp-resharder mp-size=1 in front"});
  }
  if (tensor.role != "param" && tensor.role != "buffer") {
    throw Error(CKB_UNSUPPORTED,
                name + ": is " + std::string(tensor.role) +
                    ", but these files hold parameters and buffers only",
                {.tensor = name});
  }
}

std::vector<PlainTensor> plain_tensors(Graph& graph, std::string_view other) {
  const plugin::ConstGraph in = graph.view();
  std::vector<std::pair<std::uint32_t, PlainTensor>> found;  // by position
  for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
    const TensorView tensor = in.tensor(i);
    found.emplace_back(tensor.position, plain(tensor));
  }
  for (std::uint64_t i = 0; i < in.object_count(); ++i) {
    const ObjectView object = in.object(i);
    if (object.name == other) continue;
    if (!is_extra_state(object.name)) {
      graph.drop_object(object.name, "state that is not a tensor");
    } else if (auto tensor = plain(graph, object)) {
      found.emplace_back(object.position, std::move(*tensor));
    } else {
      graph.drop_object(object.name, "extra state that is not a tensor");
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PlainTensor> tensors;
  tensors.reserve(found.size());
  std::set<std::string_view> names;
  for (auto& [position, tensor] : found) tensors.push_back(std::move(tensor));
  for (const PlainTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw Error(CKB_CORRUPT, tensor.name + ": two tensors have this name",
                  {.tensor = tensor.name});
    }
  }
  return tensors;
}

}  // namespace ckptbridge::state_dict
