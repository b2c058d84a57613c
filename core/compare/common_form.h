// Graphs of checkpoints that are compared with others rather than written.
#pragma once

#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace ckptbridge {

// The graph, which is of the checkpoint's arena, as the transforms make it to which the manifests
// lead, so that it has these properties. They take those of the options that they know. purpose
// ("diff") stands where messages name the writer. Throws UNSUPPORTED where none leads there.
Graph with_properties(const Checkpoint& checkpoint, const Graph& graph, const Properties& wanted,
                      const std::vector<OptionText>& options, const std::string& purpose);

// The graph as it is, if each of its tensors can be joined; else with one model-parallel rank.
// Where no transform can do that either, as it is: then shards stand for themselves.
Graph with_known_partition(const Checkpoint& checkpoint, const Graph& graph,
                           const std::string& purpose);

}  // namespace ckptbridge
