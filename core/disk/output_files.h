// Output: files of known sizes in a staging folder, written from any thread in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

// A path that a writer may ask for: relative, at most 4,096 bytes, components neither empty nor "."
// nor ".." and at most 255 bytes, no backslash and no control character. Else INVALID_ARGUMENT.
void require_output_path(const std::string& path);

// The files of one output. Ids count from 0, in the order of create().
class OutputFiles {
 public:
  // `folder` exists. At most `open_files` descriptors are kept; 0: a default.
  explicit OutputFiles(boost::filesystem::path folder, size_t open_files = 0);
  OutputFiles(OutputFiles&&) noexcept;
  OutputFiles& operator=(OutputFiles&&) noexcept;
  ~OutputFiles();

  // Makes a file of zeros, and the folders above it. A path that require_output_path() refuses, a
  // second file of that path, or one below another file, is INVALID_ARGUMENT.
  uint32_t create(const std::string& path, uint64_t size);

  // As create(), but takes the file that lies there from an earlier run. Gives false, and there is
  // none of that name then, if it is no file or has another size.
  bool adopt(const std::string& path, uint64_t size);

  uint32_t count() const;
  uint64_t size(uint32_t file) const;
  const std::string& path(uint32_t file) const;  // as given to create()

  // [any-thread], also beside create(). A range beyond the file's size is INTERNAL; a full disk IO,
  // which says what to do.
  void write(uint32_t file, uint64_t offset, std::span<const std::byte> data);
  // [any-thread] What write() took goes to the disk at once from here on, and not much later the
  // page cache forgets it; write() waits where the disk lags behind.
  void drop_behind() const;

  // [any-thread] What was written to the file before is on the disk afterwards.
  void sync(uint32_t file);
  // The names of all files are on the disk afterwards.
  void sync_folders();
  // All files, then all folders (deepest first, the staging folder last) are on the disk
  // afterwards, and all descriptors closed. Call it when no thread writes.
  void sync_all();

  uint64_t opens() const;
  uint64_t bytes_written() const;

 private:
  struct State;
  std::unique_ptr<State> state_;  // threads hold on to it while an OutputFiles moves
};

}  // namespace ckptbridge
