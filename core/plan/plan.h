// The work, cut into tasks: which ranges of which output files one worker makes in one go.
//
// The unit is a range of one segment of one output file. Values are cut into ranges where their
// sources change (core/plan/value_cuts.h). The ranges are put in the order of what they read, file
// by file and forward, so that each file is opened about once and each source range is read once.
// Ranges that follow each other become tasks of about 1 MiB:
//
//   split      a band of rows of one source goes to the files of all ranks
//   gather     one range of rows of a file comes from the sources of all ranks
//   fragments  of ZeRO-3: what lies side by side in a source goes to many places
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/graph/layout.h"
#include "core/graph/nodes.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

// [begin, begin + size) of an output file, inside one of its segments, at whole elements.
struct OutputRange {
  std::uint64_t begin;
  std::uint32_t size;
  std::uint32_t file;
  std::uint32_t segment;
};

// The tasks of a conversion. They depend on what is converted, and on --memory only where it holds
// less than one task of full size; they do not depend on the number of threads.
struct Plan {
  Buffers buffers;                         // of those who do the tasks
  std::vector<OutputRange> ranges;         // by task
  std::vector<std::uint64_t> first = {0};  // of each task's ranges, and one past the last's

  std::uint64_t task_count() const { return first.size() - 1; }
  std::span<const OutputRange> task(std::uint64_t number) const {
    return std::span(ranges).subspan(first[number], first[number + 1] - first[number]);
  }
};

// Returns true where two ranges hold the same elements of the same value, as those of replicated
// tensors do.
bool same_content(const Layout& layout, const OutputRange& a, const OutputRange& b);

// Returns tasks that together are every byte of every file, each once. Throws MEMORY if the bound
// admits no work at all.
Plan make_plan(const Nodes& nodes, const Layout& layout, const Limits& limits);

}  // namespace ckptbridge
