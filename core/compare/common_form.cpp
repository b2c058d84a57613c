#include "core/compare/common_form.h"

#include "ckptbridge/error.hpp"
#include "core/graph/logical_tensors.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge {

Graph with_properties(Conversion& run, const Graph& graph, const Properties& wanted,
                      const std::vector<OptionText>& options, const std::string& purpose) {
  Manifest goal;
  goal.id = purpose;
  goal.needs = wanted;
  const auto steps =
      complete_transforms({run.request.input, "", graph.properties(), run.reader, &goal,
                           run.registry.with_role(Role::kTransform), options});
  Graph result = graph;
  for (const StepText& step : steps) {
    const Manifest& manifest = run.registry.require(step.plugin);
    const Plugin transform(manifest, run.host.table());
    result = transform.rewrite(result, options_json(manifest, step.options, run.request.folder));
  }
  return result;
}

Graph with_known_partition(Conversion& run, const Graph& graph, const std::string& purpose) {
  if (!has_unknown_partition(graph)) return graph;
  try {
    return with_properties(run, graph, {{"mp_world_size", "1"}}, {}, purpose);
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    return graph;
  }
}

}  // namespace ckptbridge
