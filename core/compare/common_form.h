// Graphs of checkpoints that are compared with others rather than written.
#pragma once

#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace ckptbridge {

// Returns the graph, which is of the checkpoint's arena, after the transforms that the manifests
// choose to bring it to these properties. A transform takes those of the options that it declares.
// purpose ("diff") stands where messages name the writer. Throws UNSUPPORTED where no transform
// leads there.
Graph with_properties(const Checkpoint& checkpoint, const Graph& graph, const Properties& wanted,
                      const std::vector<OptionText>& options, const std::string& purpose);

// Returns the graph as it is, if each of its tensors can be joined; else after the transforms that
// bring it to one model-parallel rank; else, where none can, as it is: shards stand for themselves.
Graph with_known_partition(const Checkpoint& checkpoint, const Graph& graph,
                           const std::string& purpose);

}  // namespace ckptbridge
