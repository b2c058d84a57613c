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
// False if `text` is no whole lock.
bool parse_lock(const std::string& text, LockOwner& owner);

// Certainly no longer running: it ran on this host, under this boot and in this namespace, and its
// pid is free or another process's now; or this machine was started again since. In doubt: false.
bool is_dead(const LockOwner& owner);

// A file that lock_folder() makes, for good or for a moment.
bool is_of_lock(const std::string& name);

enum class LockResult { kFresh, kTakenOver };

// Locks `folder` for this process with the file `folder`/lock. The lock of a dead process is taken
// over, by one of those who try. A live one, another host's or one that cannot be read is EXISTS,
// which names it, says what to do, and calls the thing at stake `what`.
LockResult lock_folder(const boost::filesystem::path& folder, const std::string& what);

}  // namespace ckptbridge
