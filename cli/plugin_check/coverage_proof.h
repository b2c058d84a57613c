// Proves the coverage of a graph before any writer has seen it.
#pragma once

#include "core/graph/graph.h"

namespace ckptbridge::plugin_check {

// Each byte that `read` declared is in a tensor or an object of `result`, dropped, or checked;
// Error that names the bytes otherwise.
void require_all_used(const Graph& read, const Graph& result);

}  // namespace ckptbridge::plugin_check
