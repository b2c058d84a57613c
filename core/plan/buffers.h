// What workers may hold of tensor data, all of it together within --memory.
#pragma once

#include <cstdint>

namespace ckptbridge {

// What the user allows. Nothing of it shows in the output.
struct Limits {
  unsigned threads = 1;
  std::uint64_t memory = 128u << 20;  // bytes of payload buffers, all threads together
};

// The most bytes that one byte of a value is cast from: float64 (8 bytes) to bfloat16 (2).
inline constexpr std::uint64_t kWidestCast = 4;

// The only place where sizes of payload buffers are reckoned. A worker holds two tasks' bytes (a
// comparison reads two values) and the elements that they are cast from.
struct Buffers {
  unsigned threads = 1;
  std::uint64_t task_size = 0;  // bytes of a task at most, each distinct value counted once

  // Bytes that the one reader of a worker casts from.
  std::uint64_t scratch_size() const { return task_size * kWidestCast; }
  // The same for each reader of a worker that reads two values side by side.
  std::uint64_t scratch_size_of_two() const { return scratch_size() / 2; }
  std::uint64_t worker_size() const { return 2 * task_size + scratch_size(); }
  std::uint64_t total_size() const { return threads * worker_size(); }
};

// Tasks of 1 MiB, or of less where `limits.memory` is smaller than one worker's buffers for that.
// Throws MEMORY if the bound admits no work at all (24 KiB are the least).
Buffers make_buffers(const Limits& limits);

}  // namespace ckptbridge
