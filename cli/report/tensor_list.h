// The tensors of a checkpoint, for `inspect --tensors`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/text/json.h"

namespace ckptbridge::cli {

// Those whose names fit one of the patterns, or all: in the order in which they are stored, the
// ranks of one name together. Throws INVALID_ARGUMENT for a pattern that fits none.
std::vector<const Tensor*> listed_tensors(const Graph& graph,
                                          const std::vector<std::string>& patterns);

// For each name its role, dtype and shape, and for each rank where its bytes are. Of several pieces
// the first; with verbose, all. Names of files are those below folder. The text is given in parts,
// as a model of thousands of files has millions of pieces.
void list_tensors(const Graph& graph, const std::vector<const Tensor*>& tensors, bool verbose,
                  const std::string& folder, const std::function<void(const std::string&)>& print);

// One of them, with all pieces.
Json tensor_json(const Graph& graph, const Tensor& tensor);

}  // namespace ckptbridge::cli
