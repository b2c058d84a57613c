// Where all elements of a value come from, for people who ask; the copy machine asks lower() for
// one range at a time.
#pragma once

#include <vector>

#include "core/graph/lowering.h"

namespace ckptbridge {

// In the order of their targets.
std::vector<Run> runs_of(const Nodes& nodes, ckb_node node);

}  // namespace ckptbridge
