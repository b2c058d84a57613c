// The one door to the disk: the system calls on files and folders are made in file.cpp, so that
// retries, messages and (in tests) faults have one place.
//
// Each function that fails throws an Error whose message begins with the path: NOT_FOUND where
// nothing is at the path, else IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "ckptbridge/error.hpp"

namespace ckptbridge {

// What shows that a file is still the one it was.
struct FileState {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  uint64_t inode = 0;
  bool operator==(const FileState&) const = default;
};

// An open regular file; closed with the object. Reads and writes name their offset, so any number
// of threads may use one File.
class File {
 public:
  // Follows symbolic links. Throws NOT_FOUND for what is not a regular file.
  static File open_to_read(const boost::filesystem::path& path);
  static File open_to_write(const boost::filesystem::path& path);
  // Makes a file of `size` zeros. Throws where something is at the path.
  static File create(const boost::filesystem::path& path, uint64_t size);

  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  const boost::filesystem::path& path() const { return path_; }
  FileState state() const;
  // Fills `data`, but for what lies behind the end of the file; returns the number of bytes read.
  size_t read_at(uint64_t offset, std::span<std::byte> data) const;
  void write_at(uint64_t offset, std::span<const std::byte> data) const;
  // The contents and the size are on the disk afterwards.
  void sync() const;
  // Starts to bring a range to the disk, and with `wait` waits for the end; a power cut may still
  // lose the range. Throws IO where the disk failed: the kernel tells a failure only once, so that
  // a later sync() would not see it.
  void write_back(uint64_t offset, uint64_t size, bool wait) const;
  // Hints to the page cache, which never fail. will_need: the range is read soon. drop_cache:
  // the range and the 2 MiB before it are not read again; the cache drops what of them is on the
  // disk.
  void will_need(uint64_t offset, uint64_t size) const noexcept;
  void drop_cache(uint64_t offset, uint64_t size) const noexcept;
  // Network file systems report lost writes here. The destructor closes too, but in silence.
  void close();

 private:
  File(int descriptor, const boost::filesystem::path& path) : fd_(descriptor), path_(path) {}

  int fd_;
  boost::filesystem::path path_;
};

// Returns the state of the file at `path`, links followed, and does not open the file.
FileState file_state(const boost::filesystem::path& path);

// Returns the names in a folder, without "." and "..".
std::vector<std::string> sorted_entries(const boost::filesystem::path& folder);
// Returns the number that tells a folder from another one that gets the same name later.
uint64_t folder_inode(const boost::filesystem::path& path);
// Returns false if something is at the path already.
bool make_folder(const boost::filesystem::path& path);
// Makes the folder and those above it; returns the ones that were missing, outermost first.
std::vector<boost::filesystem::path> make_folders(const boost::filesystem::path& path);
// Names made, renamed or removed in the folder are on the disk afterwards.
void sync_folder(const boost::filesystem::path& path);
// Both on one file system. A file at `to`, or an empty folder if `from` is one, is replaced.
void rename_entry(const boost::filesystem::path& from, const boost::filesystem::path& to);
// Both on one file system. Returns false, and renames nothing, if something is at `to`.
bool rename_if_free(const boost::filesystem::path& from, const boost::filesystem::path& to);
// Swaps two entries in one step. Returns false where the file system cannot.
bool exchange_entries(const boost::filesystem::path& a, const boost::filesystem::path& b);
// Returns true for the root of a mounted file system, which cannot be renamed or replaced.
bool is_mount_point(const boost::filesystem::path& path);

// Writes a small file, such as a lock, to the disk. Returns false if something is at the path.
bool create_small(const boost::filesystem::path& path, std::string_view text);
// Returns the first 16 MiB of a file; "" if there is no such file.
std::string read_small(const boost::filesystem::path& path);

// Returns the Error for a failed call, from errno: "PATH: WHAT: REASON", and what the user can do.
[[nodiscard]] Error file_error(int error_number, const boost::filesystem::path& path,
                               std::string_view what);

}  // namespace ckptbridge
