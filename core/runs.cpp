#include "core/runs.h"

#include <algorithm>

namespace ckptbridge {

std::vector<Run> runs_of(const Nodes& nodes, ckb_node node) {
  std::vector<Run> runs;
  lower(nodes, node, 0, nodes.count(node), [&](const Run& run) { runs.push_back(run); });
  std::sort(runs.begin(), runs.end(),
            [](const Run& a, const Run& b) { return a.target < b.target; });
  return runs;
}

}  // namespace ckptbridge
