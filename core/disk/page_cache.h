// What a run leaves in the page cache. A run that is larger than memory would push out everything
// that others have there, and then its own pages before they are written.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace ckptbridge {

// Returns true where so many bytes, read and written, are more than the memory of this machine or
// of this process's cgroup.
bool exceeds_memory(std::uint64_t bytes);

struct FileRange {
  std::uint32_t file;
  std::uint64_t begin;
  std::uint64_t size;
};

// Ranges that the copy has passed. 32 MiB behind the newest, all threads have copied their part,
// and the disk had work meanwhile. [any-thread]
class PassedRanges {
 public:
  // Takes a range, and returns those that the page cache can drop now.
  std::vector<FileRange> add(const FileRange& range);

 private:
  std::mutex mutex_;
  std::deque<FileRange> queue_;
  std::uint64_t queued_ = 0;  // bytes
};

}  // namespace ckptbridge
