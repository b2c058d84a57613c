#include "core/file_cache.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <sys/resource.h>

namespace ckptbridge {

size_t default_open_files() {
  constexpr size_t kMost = 128;
  constexpr size_t kLeast = 4;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMost;
  return std::clamp<size_t>(limit.rlim_cur / 4, kLeast, kMost);
}

FileCache::FileCache(size_t limit, Open open)
    : limit_(limit != 0 ? limit : default_open_files()), open_(std::move(open)) {}

std::shared_ptr<const File> FileCache::get(uint32_t key) {
  std::unique_lock lock(mutex_);
  for (auto found = entries_.find(key); found != entries_.end(); found = entries_.find(key)) {
    if (found->second.file) {
      recent_.splice(recent_.begin(), recent_, found->second.position);
      return found->second.file;
    }
    opened_.wait(lock);  // another thread opens it; if that fails, the entry is gone
  }
  recent_.push_front(key);
  entries_.emplace(key, Entry{nullptr, recent_.begin()});
  Files idle = take_idle(limit_);
  lock.unlock();

  // Outside the lock: on a network file system, closing and opening take long.
  std::shared_ptr<File> file;
  std::exception_ptr failure;
  try {
    close(std::move(idle));
    file = std::make_shared<File>(open_(key));
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  const auto entry = entries_.find(key);
  if (failure) {
    recent_.erase(entry->second.position);
    entries_.erase(entry);
  } else {
    entry->second.file = file;
  }
  lock.unlock();
  opened_.notify_all();
  if (failure) std::rethrow_exception(failure);
  return file;
}

void FileCache::close_all() {
  std::unique_lock lock(mutex_);
  Files idle = take_idle(0);
  lock.unlock();
  close(std::move(idle));
}

// With mutex_ held: takes files that nobody uses out of the cache, those not used for longest
// first, until `keep` entries are left. A use count of 1 cannot rise meanwhile: new pointers are
// handed out under mutex_.
FileCache::Files FileCache::take_idle(size_t keep) {
  Files taken;
  for (auto at = recent_.end(); at != recent_.begin() && entries_.size() > keep;) {
    --at;
    const auto entry = entries_.find(*at);
    if (entry->second.file && entry->second.file.use_count() == 1) {
      taken.push_back(std::move(entry->second.file));
      entries_.erase(entry);
      at = recent_.erase(at);
    }
  }
  return taken;
}

void FileCache::close(Files files) {
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
