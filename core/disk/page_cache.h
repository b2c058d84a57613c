// What a run leaves in the page cache. A run that is larger than memory would push out everything
// that others have there, and then its own pages before they are written.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace ckptbridge {

// Whether so many bytes, read and written, are more than this machine or this process's cgroup
// holds.
bool exceeds_memory(std::uint64_t bytes);

struct FileRange {
  std::uint32_t file;
  std::uint64_t begin;
  std::uint64_t size;
};

// Ranges that work has passed: what is 32 MiB behind has been copied by all threads, and the disk
// has had something to do meanwhile. [any-thread]
class PassedRanges {
 public:
  // Takes a range, and gives those that can be let go of now.
  std::vector<FileRange> add(const FileRange& range);

 private:
  std::mutex mutex_;
  std::deque<FileRange> queue_;
  std::uint64_t queued_ = 0;  // bytes
};

}  // namespace ckptbridge
