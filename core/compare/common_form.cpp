#include "core/compare/common_form.h"

#include "ckptbridge/error.hpp"
#include "core/chain/chain.h"
#include "core/graph/logical_tensors.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge {

Graph with_properties(const Checkpoint& checkpoint, const Graph& graph, const Properties& wanted,
                      const std::vector<OptionText>& options, const std::string& purpose) {
  const Registry& registry = *checkpoint.registry;
  Manifest goal;
  goal.id = purpose;
  goal.needs = wanted;
  const auto steps =
      complete_transforms({checkpoint.input.path, "", graph.properties(), checkpoint.reader, &goal,
                           registry.with_role(Role::kTransform), options});
  Graph result = graph;
  for (const StepText& step : steps) {
    const Manifest& manifest = registry.require(step.plugin);
    const Plugin transform(manifest, checkpoint.host->table());
    result =
        transform.rewrite(result, options_json(manifest, step.options, checkpoint.input.folder));
  }
  return result;
}

Graph with_known_partition(const Checkpoint& checkpoint, const Graph& graph,
                           const std::string& purpose) {
  if (!has_unknown_partition(graph)) return graph;
  try {
    return with_properties(checkpoint, graph, {{"mp_world_size", "1"}}, {}, purpose);
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    return graph;
  }
}

}  // namespace ckptbridge
