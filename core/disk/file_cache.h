// Open files by number, a bounded count of them: a checkpoint has more files than a process may
// have descriptors.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/disk/file.h"

namespace ckptbridge {

// [any-thread]
class FileCache {
 public:
  using Open = std::function<File(uint32_t)>;

  // Keeps a file open as long as the Lease lives.
  class Lease {
   public:
    Lease(const File& file, std::atomic<uint32_t>& users) : file_(&file), users_(&users) {}
    Lease(Lease&& other) noexcept
        : file_(other.file_), users_(std::exchange(other.users_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    // Releases the count, which the cache acquires: all use of the file happens before its close.
    ~Lease() {
      if (users_ != nullptr) users_->fetch_sub(1, std::memory_order_release);
    }
    const File* operator->() const { return file_; }

   private:
    const File* file_;
    std::atomic<uint32_t>* users_;
  };

  // Several threads may call `open` at once, but never two for one key. `open` must not call the
  // cache.
  FileCache(size_t limit, Open open);

  // Returns the file of `key`, and opens the file if it is closed. Hold the Lease for one read or
  // write only. Beyond the limit, the cache closes the files that were used longest ago, but none
  // that is in use: with limit 128 and 16 threads, at most 144 are open.
  Lease get(uint32_t key);

  // Closes all files that are not in use; the first failed close is thrown.
  void close_all();

 private:
  struct Entry {
    std::unique_ptr<File> file;  // none while it is being opened
    std::atomic<uint32_t> users{0};
    std::list<uint32_t>::iterator position;
  };
  using Files = std::vector<std::unique_ptr<File>>;

  static Lease lease(Entry& entry);
  Files take_idle(size_t keep);
  static void close(const Files& files);

  const size_t limit_;
  const Open open_;
  std::mutex mutex_;
  std::condition_variable opened_;
  std::unordered_map<uint32_t, Entry> entries_;  // each stays where it is until it is erased
  std::list<uint32_t> recent_;                   // front: used last
};

}  // namespace ckptbridge
