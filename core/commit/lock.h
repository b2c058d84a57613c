// A lock that works on every shared file system, and says who holds it.
//
// No flock: Lustre and NFS may lack it or keep it to one host. A lock is a file made with O_EXCL:
//
//   ckptbridge lock 1
//   host NAME
//   pid NUMBER
//   start NUMBER       when the process began, in ticks since boot (/proc/PID/stat, field 22)
//   pidns NUMBER       the namespace in which pid counts
//   boot ID            /proc/sys/kernel/random/boot_id
//   machine ID         /etc/machine-id; empty in most containers
#pragma once

#include <cstdint>
#include <string>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

struct LockOwner {
  std::string host;
  int64_t pid = 0;
  uint64_t start = 0;
  uint64_t pidns = 0;
  std::string boot;
  std::string machine;
  bool operator==(const LockOwner&) const = default;
};

LockOwner this_process();
std::string lock_text(const LockOwner& owner);
// Returns false if `text` is not a whole lock.
bool parse_lock(const std::string& text, LockOwner& owner);

// Returns true where the owner certainly runs no longer, as `self` can tell: the owner ran on this
// host, under this boot and in this namespace, and its pid is free or another process's now; or
// this machine was started again since. In doubt, returns false.
bool is_dead(const LockOwner& owner, const LockOwner& self = this_process());

// A file that lock_folder() makes, for good or for a moment.
bool is_of_lock(const std::string& name);

enum class LockResult { kFresh, kTakenOver };

// Locks `folder` for this process with the file `folder`/lock. Of those who try, one takes over the
// lock of a dead process. Throws EXISTS for the lock of a live process or another host, and for one
// that cannot be read; the message names the lock, says what to do, and calls the thing at stake
// `what`.
LockResult lock_folder(const boost::filesystem::path& folder, const std::string& what);

}  // namespace ckptbridge
