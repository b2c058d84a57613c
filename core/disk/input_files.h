// Input: logical files, read from any thread, each watched for changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

// What shows that a source is still the one it was, also to a later run.
struct SourceState {
  std::string path;  // absolute, links followed
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  bool operator==(const SourceState&) const = default;
};

// The input files of one run. A logical file is one physical file, or pieces of it that follow each
// other (x.pt.part0, x.pt.part1). Ids count from 1.
class InputFiles {
 public:
  // Relative paths start at `root`. At most `open_files` descriptors are kept; 0: a default.
  explicit InputFiles(boost::filesystem::path root, size_t open_files = 0);
  InputFiles(InputFiles&&) noexcept;
  InputFiles& operator=(InputFiles&&) noexcept;
  ~InputFiles();

  // The logical file of these pieces; the same pieces give the same id. Links are followed.
  // Absolute paths are for what the user typed, not for names found in a file. A relative path
  // with "..", or an empty one, is INVALID_ARGUMENT; a missing piece, or one that is no regular
  // file, NOT_FOUND; one that cannot be opened, IO.
  uint32_t open(std::span<const std::string> pieces);

  // [any-thread] all below. An id that open() did not give is INTERNAL.
  uint32_t count() const;  // of logical files; the ids are 1 … count
  uint64_t size(uint32_t id) const;
  // Path of the first piece, as the user would write it: for messages.
  const std::string& name(uint32_t id) const;
  const std::vector<std::string>& pieces(uint32_t id) const;

  // Fills `data`. A range that is not all in the file is CORRUPT (offsets come from the file
  // itself); a file that is not what it was at open() is IO.
  void read(uint32_t id, uint64_t offset, std::span<std::byte> data) const;
  // Hints to the page cache: the range is read soon; from here on, what read() gave is not read
  // again.
  void will_need(uint32_t id, uint64_t offset, uint64_t size) const;
  void drop_behind() const;

  // Size, time and inode of every opened piece are as they were at open(), else IO.
  void require_unchanged() const;

  // Of every opened piece, in the order of opening, as it was then.
  std::vector<SourceState> states() const;

  // For tests of access patterns: files opened, again after eviction included; bytes read.
  uint64_t opens() const;
  uint64_t bytes_read() const;

 private:
  struct State;
  std::unique_ptr<State> state_;  // threads hold on to it while an InputFiles moves
};

}  // namespace ckptbridge
