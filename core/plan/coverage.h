// The proof that nothing is lost: each declared byte of the input is used by the output, checked
// against a replica, or dropped with a reason.
//
// Byte sets are kept as the strided runs that lowering makes, and expanded one storage at a time.
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
  std::uint64_t checked = 0;  // bytes that were compared and are not used
  std::vector<DroppedBytes> dropped;
  // Storages, by file and offset, of which more than is_little() is neither used nor checked.
  std::vector<std::pair<ckb_file, std::uint64_t>> partly_needed;
};

// Proves that each declared byte is used, checked or dropped, and returns the counts. Throws
// INTERNAL (a bug of a plugin, not a fault of the input) if a byte is none of these; the message
// names the file, the bytes and the tensor of `read`, the reader's graph, that they belong to.
Coverage require_coverage(const Graph& read, const Layout& layout);

}  // namespace ckptbridge
