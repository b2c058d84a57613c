#include "core/plan.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sched.h>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/lower.h"

namespace ckptbridge {
namespace {

// Measured: pread and pwrite of 1 MiB by two threads beat cp; larger pieces gain nothing.
constexpr std::uint64_t kTaskSize = 1u << 20;
constexpr std::uint64_t kSmallestTask = 64u << 10;

// A worker holds a task's bytes twice (a check compares two values) and the source elements that
// they are cast from, at most four times as wide (float64 to bfloat16).
constexpr std::uint64_t kScratchFactor = 4;
constexpr std::uint64_t kWorkerFactor = 2 + kScratchFactor;

constexpr unsigned kMaxThreads = 16;

// Cores that the cgroup's quota grants (cgroup v2: "max 100000" or "200000 100000"), rounded up; 0
// if there is none.
unsigned quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<unsigned>(std::ceil(std::strtod(quota.c_str(), nullptr) / period));
}

// Where the first value of a task begins in the input; tasks without one come first.
std::pair<ckb_file, std::uint64_t> source_position(const Nodes& nodes, const OutputFile& file,
                                                   const Task& task) {
  for (std::size_t i = task.first_segment; i < file.segments.size(); ++i) {
    const Segment& segment = file.segments[i];
    if (segment.offset >= task.begin + task.size) break;
    if (segment.content != Content::kValue) continue;
    const auto value = static_cast<ckb_node>(segment.index);
    const std::uint64_t skipped = std::max(task.begin, segment.offset) - segment.offset;
    std::pair<ckb_file, std::uint64_t> position;
    lower(nodes, value, skipped / nodes.item(value), 1, [&](const Run& run) {
      if (nodes.op(run.leaf) == Op::kExtent) position = {nodes.file(run.leaf), run.source};
    });
    return position;
  }
  return {0, 0};
}

void cut_file(const OutputFile& file, std::uint32_t index, std::uint64_t task_size,
              std::vector<Task>& tasks) {
  Task task{index, 0, 0, 0};
  const auto close = [&](std::uint64_t begin, std::uint32_t segment) {
    if (task.size > 0) tasks.push_back(task);
    task = {index, segment, begin, 0};
  };
  for (std::uint32_t i = 0; i < file.segments.size(); ++i) {
    const Segment& segment = file.segments[i];
    if (task.size + segment.size > task_size) close(segment.offset, i);
    // A segment that is larger than a task is cut in itself, at whole elements.
    std::uint64_t done = 0;
    for (; segment.size - done > task_size; done += task_size) {
      task.size = task_size;
      close(segment.offset + done + task_size, i);
    }
    task.size += segment.size - done;
  }
  close(file.size, 0);
}

}  // namespace

unsigned default_threads() {
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    cores = std::min(cores, static_cast<unsigned>(std::max(1, CPU_COUNT(&set))));
  }
  if (const unsigned quota = quota_cores(); quota > 0) cores = std::min(cores, quota);
  return std::min(cores, kMaxThreads);
}

Plan make_plan(const Nodes& nodes, const Layout& layout, const Limits& limits) {
  Plan plan;
  plan.threads = std::max(1u, limits.threads);
  plan.task_size = kTaskSize;
  const auto need = [&] { return plan.threads * plan.task_size * kWorkerFactor; };
  while (need() > limits.memory && plan.task_size > kSmallestTask) plan.task_size /= 2;
  while (need() > limits.memory && plan.threads > 1) --plan.threads;
  if (need() > limits.memory) {
    throw Error(CKB_MEMORY, fmt::format("--memory: {} bytes cannot hold one task's buffers; give "
                                        "at least {}",
                                        limits.memory, need()));
  }
  plan.scratch_size = plan.task_size * kScratchFactor;

  for (std::uint32_t i = 0; i < layout.files().size(); ++i) {
    cut_file(layout.files()[i], i, plan.task_size, plan.tasks);
  }
  std::vector<std::pair<std::pair<ckb_file, std::uint64_t>, std::uint32_t>> order;
  order.reserve(plan.tasks.size());
  for (std::uint32_t i = 0; i < plan.tasks.size(); ++i) {
    const Task& task = plan.tasks[i];
    order.emplace_back(source_position(nodes, layout.files()[task.file], task), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<Task> sorted;
  sorted.reserve(plan.tasks.size());
  for (const auto& [position, i] : order) sorted.push_back(plan.tasks[i]);
  plan.tasks = std::move(sorted);
  return plan;
}

}  // namespace ckptbridge
