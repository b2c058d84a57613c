#include "core/plan/buffers.h"

#include <algorithm>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Measured: pread and pwrite of 1 MiB by two threads beat cp; larger pieces gain nothing.
constexpr std::uint64_t kTaskSize = 1u << 20;
constexpr std::uint64_t kSmallestTask = 4u << 10;

}  // namespace

Buffers make_buffers(const Limits& limits) {
  Buffers buffers{1, kTaskSize};
  while (buffers.worker_size() > limits.memory && buffers.task_size > kSmallestTask) {
    buffers.task_size /= 2;
  }
  if (buffers.worker_size() > limits.memory) {
    throw Error(CKB_MEMORY,
                fmt::format("--memory: {} bytes cannot hold one task's buffers", limits.memory),
                {.hint = fmt::format("give at least {}", buffers.worker_size())});
  }
  buffers.threads = static_cast<unsigned>(
      std::min<std::uint64_t>(std::max(1u, limits.threads), limits.memory / buffers.worker_size()));
  return buffers;
}

}  // namespace ckptbridge
