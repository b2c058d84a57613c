// Graphs and layouts as lines of text, to tell whether two are the same.
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/layout.h"

namespace ckptbridge::plugin_check {

using Description = std::vector<std::string>;

// A line for each tensor, object and property, in their order. Files are named, not numbered, so
// that graphs of two arenas can be compared.
Description describe(const Graph& graph);

// A line for each file and each segment of it.
Description describe(const Layout& layout, const Arena& arena);

// Failed, with the first line that differs, unless both are the same.
void require_same(const Description& first, const Description& second, const std::string& what);

}  // namespace ckptbridge::plugin_check
