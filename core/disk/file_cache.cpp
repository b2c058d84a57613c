#include "core/disk/file_cache.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <sys/resource.h>

namespace ckptbridge {
namespace {

// Returns 128, or a quarter of `ulimit -n` where that is less, but at least 4.
size_t default_open_files() {
  constexpr size_t kMost = 128;
  constexpr size_t kLeast = 4;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMost;
  return std::clamp<size_t>(limit.rlim_cur / 4, kLeast, kMost);
}

}  // namespace

FileCache::FileCache(size_t limit, Open open)
    : limit_(limit != 0 ? limit : default_open_files()), open_(std::move(open)) {}

FileCache::Lease FileCache::get(uint32_t key) {
  std::unique_lock lock(mutex_);
  for (auto found = entries_.find(key); found != entries_.end(); found = entries_.find(key)) {
    Entry& entry = found->second;
    if (entry.file) {
      recent_.splice(recent_.begin(), recent_, entry.position);
      return lease(entry);
    }
    opened_.wait(lock);  // another thread opens it; if that fails, the entry is gone
  }
  recent_.push_front(key);
  Entry& entry = entries_[key];
  entry.position = recent_.begin();
  const Files idle = take_idle(limit_);
  lock.unlock();

  // Outside the lock: on a network file system, closing and opening take long.
  std::unique_ptr<File> file;
  std::exception_ptr failure;
  try {
    close(idle);
    file = std::make_unique<File>(open_(key));
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  opened_.notify_all();
  if (failure) {
    recent_.erase(entry.position);
    entries_.erase(key);
    std::rethrow_exception(failure);
  }
  entry.file = std::move(file);
  return lease(entry);
}

// With mutex_ held.
FileCache::Lease FileCache::lease(Entry& entry) {
  entry.users.fetch_add(1, std::memory_order_relaxed);
  return {*entry.file, entry.users};
}

void FileCache::close_all() {
  std::unique_lock lock(mutex_);
  const Files idle = take_idle(0);
  lock.unlock();
  close(idle);
}

// With mutex_ held: takes files that nobody uses out of the cache, those not used for longest
// first, until `keep` entries are left. A file without users gets none meanwhile: leases are given
// under mutex_.
FileCache::Files FileCache::take_idle(size_t keep) {
  Files taken;
  for (auto at = recent_.end(); at != recent_.begin() && entries_.size() > keep;) {
    --at;
    const auto entry = entries_.find(*at);
    if (entry->second.file && entry->second.users.load(std::memory_order_acquire) == 0) {
      taken.push_back(std::move(entry->second.file));
      entries_.erase(entry);
      at = recent_.erase(at);
    }
  }
  return taken;
}

void FileCache::close(const Files& files) {
  std::exception_ptr failure;
  for (const auto& file : files) {
    try {
      file->close();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ckptbridge
