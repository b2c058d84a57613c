#include "cli/plugin_check/coverage_proof.h"

#include <string>

#include "core/graph/layout.h"
#include "core/plan/coverage.h"

namespace ckptbridge::plugin_check {

void require_all_used(const Graph& read, const Graph& result) {
  const Nodes& nodes = result.arena().nodes;
  Layout layout;
  std::size_t number = 0;
  const auto put = [&](ckb_node value) {
    const auto file = layout.add_file(std::to_string(number++), nodes.size(value));
    layout.put_value(file, 0, value, nodes);
  };
  for (const Tensor& tensor : result.tensors()) put(tensor.value);
  for (const Object& object : result.objects()) {
    for (const ckb_node storage : object.storages) put(storage);
  }
  layout.finish();
  require_coverage(read, layout);
}

}  // namespace ckptbridge::plugin_check
