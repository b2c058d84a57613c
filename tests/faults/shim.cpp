// Loaded into the command with LD_PRELOAD: makes one of its system calls on the disk go wrong.
//
//   CKPTBRIDGE_FAULT_BELOW   folder; only calls on paths in it count, so that plugins load
//   undisturbed CKPTBRIDGE_FAULT_LOG     file that gets a line "NAME PATH" for each call that
//   counts, in order CKPTBRIDGE_FAULT         KIND:NUMBER, what happens at the call of that number
//   (from 1):
//     kill     the process is killed before the call is made
//     error    the call fails with EIO
//     full     the call fails with ENOSPC if it would need room, and so do all that follow
//     again    the call fails with EINTR if a signal could do that, once
//     short    a read or write moves half of what it was asked to
//     slow     nothing goes wrong; each pwrite takes NUMBER milliseconds
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <sys/stat.h>

namespace {

enum class Kind { kNone, kKill, kError, kFull, kAgain, kShort, kSlow };

// What a kind of call can suffer.
constexpr unsigned kNeedsRoom = 1;     // ENOSPC
constexpr unsigned kCanBeStopped = 2;  // EINTR
constexpr unsigned kMoves = 4;         // fewer bytes

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

struct Setting {
  std::string below;
  Kind kind = Kind::kNone;
  long number = 0;
  int log = -1;

  Setting() {
    if (const char* folder = std::getenv("CKPTBRIDGE_FAULT_BELOW")) below = folder;
    if (const char* path = std::getenv("CKPTBRIDGE_FAULT_LOG")) {
      log = next<int (*)(const char*, int, ...)>("open")(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    }
    const char* fault = std::getenv("CKPTBRIDGE_FAULT");
    const char* colon = fault == nullptr ? nullptr : std::strchr(fault, ':');
    if (colon == nullptr) return;
    number = std::atol(colon + 1);
    const std::string name(fault, colon);
    kind = name == "kill"    ? Kind::kKill
           : name == "error" ? Kind::kError
           : name == "full"  ? Kind::kFull
           : name == "again" ? Kind::kAgain
           : name == "short" ? Kind::kShort
           : name == "slow"  ? Kind::kSlow
                             : Kind::kNone;
  }
};

const Setting& setting() {
  static const Setting value;
  return value;
}

std::atomic<long> calls = 0;

std::string path_of(int descriptor) {
  char link[64];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  char path[4096];
  const ssize_t size = ::readlink(link, path, sizeof(path));
  return size < 0 ? "" : std::string(path, static_cast<size_t>(size));
}

// What shall happen to a call: 0 nothing, -1 fewer bytes, else an errno.
int fate(const char* name, const std::string& path, unsigned can) {
  const Setting& set = setting();
  if (set.below.empty() || path.compare(0, set.below.size(), set.below) != 0) return 0;
  const long number = ++calls;
  if (set.log >= 0) {
    const std::string line = std::string(name) + " " + path.substr(set.below.size()) + "\n";
    if (next<ssize_t (*)(int, const void*, size_t)>("write")(set.log, line.data(), line.size()) <
        0) {
      std::abort();
    }
  }
  if (set.kind == Kind::kSlow) {
    if (std::strcmp(name, "pwrite") == 0) ::usleep(static_cast<useconds_t>(set.number) * 1000);
    return 0;
  }
  if (set.kind == Kind::kFull && number >= set.number && (can & kNeedsRoom) != 0) return ENOSPC;
  if (number != set.number) return 0;
  switch (set.kind) {
    case Kind::kKill:
      ::kill(::getpid(), SIGKILL);
      ::pause();
      return 0;
    case Kind::kError:
      return EIO;
    case Kind::kAgain:
      return (can & kCanBeStopped) != 0 ? EINTR : 0;
    case Kind::kShort:
      return (can & kMoves) != 0 ? -1 : 0;
    default:
      return 0;
  }
}

size_t fewer(size_t size) { return size > 1 ? size / 2 : size; }

// Makes the call, or fails as it was decided.
template <typename Call>
auto meet(int fate, Call call) -> decltype(call()) {
  if (fate <= 0) return call();
  errno = fate;
  return -1;
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  const bool makes = (flags & O_CREAT) != 0;
  return meet(fate(makes ? "create" : "open", path, (makes ? kNeedsRoom : 0) | kCanBeStopped),
              [&] { return next<int (*)(const char*, int, ...)>(name)(path, flags, mode); });
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_as("open", path, flags, mode);
}

EXPORT int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_as("open64", path, flags, mode);
}

EXPORT ssize_t read(int file, void* data, size_t size) {
  const int what = fate("read", path_of(file), kCanBeStopped | kMoves);
  const size_t step = what < 0 ? fewer(size) : size;
  return meet(what,
              [&] { return next<ssize_t (*)(int, void*, size_t)>("read")(file, data, step); });
}

EXPORT ssize_t write(int file, const void* data, size_t size) {
  const int what = fate("write", path_of(file), kNeedsRoom | kCanBeStopped | kMoves);
  const size_t step = what < 0 ? fewer(size) : size;
  return meet(
      what, [&] { return next<ssize_t (*)(int, const void*, size_t)>("write")(file, data, step); });
}

EXPORT ssize_t pread(int file, void* data, size_t size, off_t at) {
  const int what = fate("pread", path_of(file), kCanBeStopped | kMoves);
  const size_t step = what < 0 ? fewer(size) : size;
  return meet(what, [&] {
    return next<ssize_t (*)(int, void*, size_t, off_t)>("pread")(file, data, step, at);
  });
}

EXPORT ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  const int what = fate("pwrite", path_of(file), kNeedsRoom | kCanBeStopped | kMoves);
  const size_t step = what < 0 ? fewer(size) : size;
  return meet(what, [&] {
    return next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(file, data, step, at);
  });
}

EXPORT int ftruncate(int file, off_t size) {
  return meet(fate("ftruncate", path_of(file), kNeedsRoom | kCanBeStopped),
              [&] { return next<int (*)(int, off_t)>("ftruncate")(file, size); });
}

EXPORT int fsync(int file) {
  return meet(fate("fsync", path_of(file), kNeedsRoom | kCanBeStopped),
              [&] { return next<int (*)(int)>("fsync")(file); });
}

EXPORT int fdatasync(int file) {
  return meet(fate("fdatasync", path_of(file), kNeedsRoom | kCanBeStopped),
              [&] { return next<int (*)(int)>("fdatasync")(file); });
}

EXPORT int close(int file) {
  // The descriptor is gone even if the call fails.
  const int what = fate("close", path_of(file), 0);
  const int result = next<int (*)(int)>("close")(file);
  return meet(what, [&] { return result; });
}

EXPORT int mkdir(const char* path, mode_t mode) {
  return meet(fate("mkdir", path, kNeedsRoom),
              [&] { return next<int (*)(const char*, mode_t)>("mkdir")(path, mode); });
}

EXPORT int rename(const char* from, const char* to) {
  return meet(fate("rename", to, kNeedsRoom),
              [&] { return next<int (*)(const char*, const char*)>("rename")(from, to); });
}

EXPORT int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                     unsigned flags) {
  return meet(fate("renameat2", to, kNeedsRoom), [&] {
    return next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(
        from_folder, from, to_folder, to, flags);
  });
}

EXPORT int unlink(const char* path) {
  return meet(fate("unlink", path, 0), [&] { return next<int (*)(const char*)>("unlink")(path); });
}

EXPORT int rmdir(const char* path) {
  return meet(fate("rmdir", path, 0), [&] { return next<int (*)(const char*)>("rmdir")(path); });
}

// 64-bit names of the same calls, which some builds use.
EXPORT ssize_t pread64(int file, void* data, size_t size, off_t at) {
  return pread(file, data, size, at);
}
EXPORT ssize_t pwrite64(int file, const void* data, size_t size, off_t at) {
  return pwrite(file, data, size, at);
}
EXPORT int ftruncate64(int file, off_t size) { return ftruncate(file, size); }
