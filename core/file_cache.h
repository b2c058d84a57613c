// Open files by number, a bounded count of them: a checkpoint has more files than a process may
// have descriptors.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/file.h"

namespace ckptbridge {

// 128, or less where `ulimit -n` is low: a quarter of it, at least 4.
size_t default_open_files();

// [any-thread]
class FileCache {
 public:
  using Open = std::function<File(uint32_t)>;

  // `open` may be called by several threads at once, but never for one key by two. It must not
  // call the cache.
  FileCache(size_t limit, Open open);

  // The file of `key`, opened if it is not open. It stays open while the pointer lives (hence
  // shared_ptr), so hold it for one read or write only. What was not used for longest is closed
  // when there are more than the limit; files in use are not counted out, so there are at most
  // as many more as threads.
  std::shared_ptr<const File> get(uint32_t key);

  // Closes all files that are not in use; the first failed close is thrown.
  void close_all();

 private:
  struct Entry {
    std::shared_ptr<File> file;  // none while it is being opened
    std::list<uint32_t>::iterator position;
  };
  using Files = std::list<std::shared_ptr<File>>;

  Files take_idle(size_t keep);
  static void close(Files files);

  const size_t limit_;
  const Open open_;
  std::mutex mutex_;
  std::condition_variable opened_;
  std::unordered_map<uint32_t, Entry> entries_;
  std::list<uint32_t> recent_;  // front: used last
};

}  // namespace ckptbridge
