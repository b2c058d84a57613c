// Output: files of known sizes in a staging folder, written from any thread in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

// Throws INVALID_ARGUMENT unless a writer may ask for the path: relative, at most 4,096 bytes, no
// component empty, ".", ".." or longer than 255 bytes, no backslash and no control character.
void require_output_path(const std::string& path);

// The files of one output. Ids count from 0, in the order of create().
class OutputFiles {
 public:
  // `folder` exists. At most `open_files` descriptors are kept; 0: a default.
  explicit OutputFiles(boost::filesystem::path folder, size_t open_files = 0);
  OutputFiles(OutputFiles&&) noexcept;
  OutputFiles& operator=(OutputFiles&&) noexcept;
  ~OutputFiles();

  // Makes a file of zeros, and the folders above it. Throws INVALID_ARGUMENT for a path that
  // require_output_path() refuses, for a second file of one path, and for a path below another
  // file.
  uint32_t create(const std::string& path, uint64_t size);

  // As create(), but takes over the file that an earlier run left at the path. Where there is none,
  // or one of another size, removes what is there and returns false.
  bool adopt(const std::string& path, uint64_t size);

  uint32_t count() const;
  const std::string& path(uint32_t file) const;  // as given to create()

  // [any-thread], also beside create(). Throws INTERNAL for a range beyond the file's size, and IO,
  // which says what to do, where the disk is full.
  void write(uint32_t file, uint64_t offset, std::span<const std::byte> data);
  // [any-thread] From here on, write() starts to bring to the disk what it wrote, and lets the page
  // cache drop what lies 32 MiB behind; where the disk is slower, write() waits.
  void drop_behind() const;

  // [any-thread] Brings to the disk what was written to the file.
  void sync(uint32_t file);
  // Brings the names of all files to the disk.
  void sync_folders();
  // Brings all files, then all folders (deepest first, the staging folder last) to the disk, and
  // closes all descriptors. Call it when no thread writes.
  void sync_all();

  uint64_t bytes_written() const;

 private:
  struct State;
  std::unique_ptr<State> state_;  // threads hold on to it while an OutputFiles moves
};

}  // namespace ckptbridge
