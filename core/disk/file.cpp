#include "core/disk/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Linux moves at most 2 GiB less a page in one call; a smaller step keeps the numbers simple.
constexpr size_t kMaxTransfer = size_t{1} << 30;
constexpr size_t kMaxSmall = size_t{16} << 20;

// Makes a system call again for as long as a signal interrupts it.
template <typename Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int open_file(const fs::path& path, int flags) {
  return retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666); });
}

FileState state_of(const struct stat& found) {
  return {static_cast<uint64_t>(found.st_size),
          int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec, found.st_ino};
}

void require_regular(const struct stat& found, const fs::path& path) {
  if (S_ISREG(found.st_mode)) return;
  throw Error(CKB_NOT_FOUND,
              fmt::format("{}: is {}, expected a file", path.string(),
                          S_ISDIR(found.st_mode) ? "a folder" : "no regular file"),
              {.file = path.string()});
}

// For calls to which a size of 0 means all that follows.
bool is_range(uint64_t offset, uint64_t size) {
  return size > 0 && offset <= INT64_MAX && size <= INT64_MAX - offset;
}

off_t checked_offset(uint64_t offset, size_t size, const fs::path& path) {
  constexpr uint64_t kMax = static_cast<uint64_t>(INT64_MAX);
  if (offset > kMax || size > kMax - offset) throw file_error(EFBIG, path, "cannot be addressed");
  return static_cast<off_t>(offset);
}

}  // namespace

Error file_error(int error_number, const fs::path& path, std::string_view what) {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return {CKB_NOT_FOUND,
            fmt::format("{}: {}: no such file or folder", path.string(), what),
            {.file = path.string()}};
  }
  constexpr const char* kMakeSpace = "free some space, or choose a place on another disk";
  std::string reason = std::generic_category().message(error_number);
  const char* hint = "";
  switch (error_number) {
    case ENOSPC:
      reason = "the disk is full";
      hint = kMakeSpace;
      break;
    case EDQUOT:
      reason = "the disk quota is used up";
      hint = kMakeSpace;
      break;
    case EACCES:
    case EPERM:
      reason = "permission denied";
      break;
    case EROFS:
      reason = "the file system is read-only";
      break;
    case EMFILE:
      reason = "this process has too many open files";
      hint = "raise `ulimit -n`";
      break;
    case EFBIG:
      reason = "the file would be larger than the file system or `ulimit -f` allows";
      break;
    default:
      break;
  }
  return {CKB_IO,
          fmt::format("{}: {}: {}", path.string(), what, reason),
          {.file = path.string(), .hint = hint}};
}

File File::open_to_read(const fs::path& path) {
  // Looked at before it is opened: opening a device may do something.
  file_state(path);
  const int opened = open_file(path, O_RDONLY | O_NONBLOCK);
  if (opened < 0) throw file_error(errno, path, "cannot be opened");
  File file(opened, path);
  file.state();
  return file;
}

File File::open_to_write(const fs::path& path) {
  const int opened = open_file(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) throw file_error(errno, path, "cannot be opened for writing");
  File file(opened, path);
  file.state();
  return file;
}

File File::create(const fs::path& path, uint64_t size) {
  const off_t end = checked_offset(size, 0, path);
  const int opened = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (opened < 0) throw file_error(errno, path, "cannot be made");
  File file(opened, path);
  if (end > 0 && retried([&] { return ::ftruncate(opened, end); }) != 0) {
    throw file_error(errno, path, fmt::format("cannot get its size of {} bytes", size));
  }
  return file;
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

FileState File::state() const {
  struct stat found {};
  if (::fstat(fd_, &found) != 0) throw file_error(errno, path_, "cannot be examined");
  require_regular(found, path_);
  return state_of(found);
}

size_t File::read_at(uint64_t offset, std::span<std::byte> data) const {
  checked_offset(offset, data.size(), path_);
  size_t done = 0;
  while (done < data.size()) {
    const size_t step = std::min(data.size() - done, kMaxTransfer);
    const ssize_t got = retried(
        [&] { return ::pread(fd_, data.data() + done, step, static_cast<off_t>(offset + done)); });
    if (got < 0) throw file_error(errno, path_, fmt::format("reading at {}", offset + done));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

void File::write_at(uint64_t offset, std::span<const std::byte> data) const {
  checked_offset(offset, data.size(), path_);
  size_t done = 0;
  while (done < data.size()) {
    const size_t step = std::min(data.size() - done, kMaxTransfer);
    const ssize_t put = retried(
        [&] { return ::pwrite(fd_, data.data() + done, step, static_cast<off_t>(offset + done)); });
    // Nothing written and no error: a disk that takes no more, as some file systems put it.
    if (put <= 0) {
      throw file_error(put < 0 ? errno : ENOSPC, path_,
                       fmt::format("writing at {}", offset + done));
    }
    done += static_cast<size_t>(put);
  }
}

void File::sync() const {
  if (retried([&] { return ::fdatasync(fd_); }) != 0) {
    throw file_error(errno, path_, "cannot be brought to the disk");
  }
}

void File::will_need(uint64_t offset, uint64_t size) const noexcept {
  if (!is_range(offset, size)) return;
  ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
}

void File::write_back(uint64_t offset, uint64_t size, bool wait) const {
  if (!is_range(offset, size)) return;
  constexpr unsigned kWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
  const auto call = [&] {
    return ::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(size),
                             SYNC_FILE_RANGE_WRITE | (wait ? kWait : 0));
  };
  // Where a file system has no such call, sync() does all of it.
  if (retried(call) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) {
    throw file_error(errno, path_,
                     fmt::format("cannot bring {} bytes at {} to the disk", size, offset));
  }
}

void File::drop_cache(uint64_t offset, uint64_t size) const noexcept {
  if (!is_range(offset, size)) return;
  // The kernel keeps a piece of its cache (a folio, up to 2 MiB) that reaches out of the range: the
  // one in which the range begins goes now, as its first part was let go of before.
  constexpr uint64_t kFolio = 2u << 20;
  const uint64_t begin = offset - std::min(offset, kFolio);
  ::posix_fadvise(fd_, static_cast<off_t>(begin), static_cast<off_t>(offset + size - begin),
                  POSIX_FADV_DONTNEED);
}

void File::close() {
  const int closing = std::exchange(fd_, -1);
  // Not retried: on Linux the descriptor is gone even when close() is interrupted.
  if (closing >= 0 && ::close(closing) != 0 && errno != EINTR) {
    throw file_error(errno, path_, "closing");
  }
}

FileState file_state(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) throw file_error(errno, path, "cannot be opened");
  require_regular(found, path);
  return state_of(found);
}

std::vector<std::string> sorted_entries(const fs::path& folder) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) throw file_error(error.value(), folder, "cannot be listed");
  std::sort(names.begin(), names.end());
  return names;
}

uint64_t folder_inode(const fs::path& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) throw file_error(errno, path, "cannot be examined");
  return found.st_ino;
}

bool make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  if (errno == EEXIST) return false;
  throw file_error(errno, path, "cannot be made");
}

std::vector<fs::path> make_folders(const fs::path& path) {
  std::vector<fs::path> missing;
  for (fs::path at = path; !at.empty() && !fs::exists(at); at = at.parent_path()) {
    missing.insert(missing.begin(), at);
  }
  std::vector<fs::path> made;
  for (const fs::path& folder : missing) {
    if (make_folder(folder)) made.push_back(folder);
  }
  return made;
}

void sync_folder(const fs::path& path) {
  const int opened = open_file(path, O_RDONLY | O_DIRECTORY);
  if (opened < 0) throw file_error(errno, path, "cannot be opened");
  const int result = retried([&] { return ::fsync(opened); });
  const int error_number = errno;
  ::close(opened);
  // EINVAL: this file system has no such call for folders, and no better one.
  if (result != 0 && error_number != EINVAL) {
    throw file_error(error_number, path, "cannot be brought to the disk");
  }
}

void rename_entry(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  const int error_number = errno;
  if (error_number == ENOTEMPTY || error_number == EEXIST) {
    throw Error(
        CKB_EXISTS, fmt::format("{}: something was put there while this ran", to.string()),
        {.file = to.string(), .hint = "look at it, and move it away or choose another place"});
  }
  throw file_error(error_number, to, fmt::format("cannot take the place from {}", from.string()));
}

bool rename_if_free(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  // Where the file system or the kernel knows no such rename: a second name, which is never made
  // over another one, and then the first one goes.
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) {
    if (::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0) return true;
  }
  if (errno == EEXIST) return false;
  throw file_error(errno, to, fmt::format("cannot take the place from {}", from.string()));
}

bool exchange_entries(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  // EINVAL: the file system knows no exchange; ENOSYS: the kernel does not.
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) return false;
  throw file_error(errno, b, fmt::format("cannot be exchanged with {}", a.string()));
}

bool is_mount_point(const fs::path& path) {
  struct statx found {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, 0, &found) != 0) return false;
  if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  // Before Linux 5.8: a mount of another file system shows, a bind mount does not.
  struct stat own {};
  struct stat above {};
  return ::lstat(path.c_str(), &own) == 0 && ::lstat((path / "..").c_str(), &above) == 0 &&
         own.st_dev != above.st_dev;
}

bool create_small(const fs::path& path, std::string_view text) {
  const int opened = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (opened < 0 && errno == EEXIST) return false;
  if (opened < 0) throw file_error(errno, path, "cannot be made");
  size_t done = 0;
  ssize_t put = 1;
  while (done < text.size() && put > 0) {
    put = retried([&] { return ::write(opened, text.data() + done, text.size() - done); });
    if (put > 0) done += static_cast<size_t>(put);
  }
  int error_number = put < 0 ? errno : ENOSPC;
  bool whole = done == text.size();
  if (whole && retried([&] { return ::fsync(opened); }) != 0) {
    error_number = errno;
    whole = false;
  }
  ::close(opened);
  if (whole) return true;
  ::unlink(path.c_str());
  throw file_error(error_number, path, "cannot be written");
}

std::string read_small(const fs::path& path) {
  const int opened = open_file(path, O_RDONLY | O_NONBLOCK);
  if (opened < 0 && errno == ENOENT) return {};
  if (opened < 0) throw file_error(errno, path, "cannot be opened");
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 1;
  while (got > 0 && text.size() < kMaxSmall) {
    got = retried([&] { return ::read(opened, buffer.data(), buffer.size()); });
    if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
  }
  const int error_number = errno;
  ::close(opened);
  if (got < 0) throw file_error(error_number, path, "cannot be read");
  return text;
}

}  // namespace ckptbridge
