// The proof that nothing is lost: each declared byte of the input is used by the output, checked
// against a replica, or dropped with a reason.
//
// Byte sets are kept as the strided runs that lowering gives, and expanded one storage at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes/intervals.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"

namespace ckptbridge {

// A reason, and how much of the input was left out for it.
struct DroppedBytes {
  std::string reason;
  std::uint64_t values = 0;
  std::uint64_t bytes = 0;  // that no output uses; each counted once, under the first reason
};

struct Coverage {
  std::uint64_t declared = 0;  // bytes
  std::uint64_t used = 0;
  std::uint64_t checked = 0;  // and not used
  std::vector<DroppedBytes> dropped;
  // Storages, by file and offset, of which more than a little is neither used nor checked.
  std::vector<std::pair<ckb_file, std::uint64_t>> partly_needed;
};

// Proves it, and gives the counts. Error INTERNAL (a plugin's bug, and no fault of the input) that
// names file, byte range and, from the reader's graph, the tensor, if any byte is unaccounted for.
Coverage require_coverage(const Graph& read, const Layout& layout);

}  // namespace ckptbridge
