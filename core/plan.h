// The work, cut into tasks: which range of which output file, in which order.
#pragma once

#include <cstdint>
#include <vector>

#include "core/layout.h"
#include "core/nodes.h"

namespace ckptbridge {

// What the user allows. Nothing of it shows in the output.
struct Limits {
  unsigned threads = 1;
  std::uint64_t memory = 128u << 20;  // bytes of payload buffers, all threads together
};

// As many threads as this process may use (affinity and cgroup quota), at most 16.
unsigned default_threads();

// A range of one output file that one worker makes.
struct Task {
  std::uint32_t file;
  std::uint32_t first_segment;  // the segment that holds begin
  std::uint64_t begin;
  std::uint64_t size;
};

struct Plan {
  std::vector<Task> tasks;  // in the order in which they read the sources forward
  unsigned threads = 1;
  std::uint64_t task_size = 0;     // bytes of the largest task; a multiple of every item size
  std::uint64_t scratch_size = 0;  // bytes that a worker needs beside a task's
};

// Tasks of about 1 MiB that together are every byte of every file. Error MEMORY if the bound admits
// no work at all.
Plan make_plan(const Nodes& nodes, const Layout& layout, const Limits& limits);

}  // namespace ckptbridge
