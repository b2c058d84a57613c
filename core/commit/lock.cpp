#include "core/commit/lock.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <signal.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/disk/file.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

constexpr const char* kFirstLine = "ckptbridge lock 1";

// What stands before an owner's token in the names of a lock in the making, and of a takeover.
constexpr const char* kFreshLock = "lock-";
constexpr const char* kTakeover = "takeover-";

// How long a lock may stay unreadable, or a takeover unfinished: both take two system calls.
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kPause{50};

template <typename Number>
bool parse_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Values end up in messages and in file names.
bool is_plain(const std::string& value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

std::string first_line(const char* path) {
  std::string text = read_small(path);
  return text.substr(0, text.find('\n'));
}

// Field 22 of /proc/PID/stat. The second, the program's name, may hold blanks and parentheses.
std::optional<uint64_t> start_of(int64_t pid) {
  std::string text;
  try {
    text = read_small(fmt::format("/proc/{}/stat", pid));
  } catch (const Error&) {
    return std::nullopt;
  }
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  uint64_t start = 0;
  return parse_number(field, start) ? std::optional(start) : std::nullopt;
}

Error held(const fs::path& lock, const LockOwner& owner, const std::string& what) {
  return {
      CKB_EXISTS,
      fmt::format("{}: process {} on host {} works on it, as {} says; wait for it, or, if it no "
                  "longer runs, remove {} and run again",
                  what, owner.pid, owner.host, lock.string(), lock.parent_path().string())};
}

// One number per owner, for a file name.
std::string token(const LockOwner& owner) {
  return fmt::format("{}-{}-{}", owner.pid, owner.start, owner.boot);
}

// A name that no other thread has.
fs::path fresh_lock(const fs::path& folder) {
  return folder / fmt::format("{}{}-{}", kFreshLock, token(this_process()), ::gettid());
}

// Makes folder/name, unless there is one. The file appears with its text, so that a process that is
// killed meanwhile leaves no file that names nobody.
bool make_whole(const fs::path& folder, const std::string& name, const std::string& text) {
  const fs::path fresh = fresh_lock(folder);
  boost::system::error_code ignored;
  fs::remove(fresh, ignored);
  if (!create_small(fresh, text)) return false;
  try {
    const bool is_made = rename_if_free(fresh, folder / name);
    fs::remove(fresh, ignored);
    return is_made;
  } catch (const Error& error) {
    fs::remove(fresh, ignored);
    // Who has the lock by now has tidied up.
    if (error.code() == CKB_NOT_FOUND && fs::exists(folder / "lock")) return false;
    throw;
  }
}

// Makes this process the one that may replace the lock of a dead process: one process can make its
// takeover file. Where that one was killed meanwhile, it is inherited from in the same way. Returns
// the file made; empty if another process was first.
fs::path become_heir(const fs::path& folder, LockOwner dead, const std::string& text) {
  constexpr int kMostHeirs = 64;
  for (int i = 0; i < kMostHeirs; ++i) {
    const std::string name = kTakeover + token(dead);
    if (make_whole(folder, name, text)) return folder / name;
    LockOwner heir;
    if (!parse_lock(read_small(folder / name), heir) || !is_dead(heir)) return {};
    dead = heir;
  }
  return {};
}

// Replaces the lock of a dead process; false if it was no longer that one's, or others do it. The
// lock is replaced by a rename, so that it is never absent, and read again before, so that a
// process that slept since it looked cannot take a newer owner's lock: only the heir of a dead
// owner replaces that owner's lock.
bool take_over(const fs::path& folder, const LockOwner& dead, const std::string& text) {
  const fs::path lock = folder / "lock";
  const fs::path takeover = become_heir(folder, dead, text);
  if (takeover.empty()) return false;
  bool taken = read_small(lock) == lock_text(dead);
  const fs::path fresh = fresh_lock(folder);
  boost::system::error_code ignored;
  fs::remove(fresh, ignored);
  taken = taken && create_small(fresh, text);
  if (taken) rename_entry(fresh, lock);
  fs::remove(takeover, ignored);
  return taken;
}

}  // namespace

bool is_of_lock(const std::string& name) {
  return name == "lock" || name.starts_with(kFreshLock) || name.starts_with(kTakeover);
}

LockOwner this_process() {
  LockOwner owner;
  char host[256] = {};
  if (::gethostname(host, sizeof(host) - 1) == 0) owner.host = host;
  owner.pid = ::getpid();
  owner.start = start_of(owner.pid).value_or(0);
  struct stat found {};
  if (::stat("/proc/self/ns/pid", &found) == 0) owner.pidns = found.st_ino;
  owner.boot = first_line("/proc/sys/kernel/random/boot_id");
  owner.machine = first_line("/etc/machine-id");
  return owner;
}

std::string lock_text(const LockOwner& owner) {
  return fmt::format("{}\nhost {}\npid {}\nstart {}\npidns {}\nboot {}\nmachine {}\n", kFirstLine,
                     owner.host, owner.pid, owner.start, owner.pidns, owner.boot, owner.machine);
}

bool parse_lock(const std::string& text, LockOwner& owner) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) return false;
  LockOwner read;
  bool is_whole = false;
  bool has_pid = false;
  while (std::getline(lines, line)) {
    const size_t blank = line.find(' ');
    if (blank == std::string::npos) return false;
    const std::string key = line.substr(0, blank);
    const std::string value = line.substr(blank + 1);
    if (is_whole || !is_plain(value)) return false;
    if (key == "host") read.host = value;
    if (key == "boot") read.boot = value;
    if (key == "machine") {  // the last line: with its end, the whole lock was written
      read.machine = value;
      is_whole = text.back() == '\n';
    }
    if (key == "pid") {
      if (!parse_number(value, read.pid) || read.pid <= 0) return false;
      has_pid = true;
    }
    if (key == "start" && !parse_number(value, read.start)) return false;
    if (key == "pidns" && !parse_number(value, read.pidns)) return false;
  }
  if (!is_whole || !has_pid) return false;
  owner = read;
  return true;
}

bool is_dead(const LockOwner& owner, const LockOwner& self) {
  if (owner.host != self.host || owner.host.empty()) return false;
  if (owner.boot != self.boot) {
    // Two machines may have one name (containers often do), but not one machine id as well.
    return !owner.boot.empty() && !self.boot.empty() && !owner.machine.empty() &&
           owner.machine == self.machine;
  }
  if (owner.boot.empty() || owner.pidns == 0 || owner.pidns != self.pidns) return false;
  if (::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH) return true;
  const std::optional<uint64_t> start = start_of(owner.pid);
  return start && owner.start != 0 && *start != owner.start;
}

LockResult lock_folder(const fs::path& folder, const std::string& what) {
  const fs::path lock = folder / "lock";
  const std::string own = lock_text(this_process());
  for (int i = 0; i < kTries; ++i) {
    if (make_whole(folder, "lock", own)) return LockResult::kFresh;
    const std::string text = read_small(lock);
    LockOwner owner;
    if (parse_lock(text, owner)) {
      if (!is_dead(owner)) throw held(lock, owner, what);
      if (text == lock_text(owner) && take_over(folder, owner, own)) return LockResult::kTakenOver;
    }
    std::this_thread::sleep_for(kPause);
  }
  throw Error(
      CKB_EXISTS,
      fmt::format(
          "{}: another process works on it or was killed while it began: {} does not tell which",
          what, lock.string()),
      {.file = what,
       .hint = fmt::format("if none runs, remove {} and run again", folder.string())});
}

}  // namespace ckptbridge
