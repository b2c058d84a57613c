#include "core/disk/page_cache.h"

#include <algorithm>
#include <fstream>
#include <unistd.h>

namespace ckptbridge {
namespace {

constexpr std::uint64_t kBehind = 32u << 20;

// The bound of the cgroup (v2: "max", or bytes); all there is where there is none.
std::uint64_t memory_limit() {
  std::uint64_t limit = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream file("/sys/fs/cgroup/memory.max");
  std::uint64_t bound = 0;
  if (file >> bound) limit = std::min(limit, bound);
  return limit;
}

}  // namespace

bool exceeds_memory(std::uint64_t bytes) { return bytes > memory_limit(); }

std::vector<FileRange> PassedRanges::add(const FileRange& range) {
  const std::scoped_lock lock(mutex_);
  queue_.push_back(range);
  queued_ += range.size;
  std::vector<FileRange> passed;
  while (queued_ > kBehind) {
    passed.push_back(queue_.front());
    queued_ -= queue_.front().size;
    queue_.pop_front();
  }
  return passed;
}

}  // namespace ckptbridge
