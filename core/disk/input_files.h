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

  // Returns the id of the logical file of these pieces, the same id for the same pieces. Follows
  // links. Absolute paths are for what the user typed, not for names found in a file. Throws
  // INVALID_ARGUMENT for a relative path with ".." and for an empty one, NOT_FOUND for a piece that
  // is missing or is not a regular file, IO for a piece that cannot be opened.
  uint32_t open(std::span<const std::string> pieces);

  // All below are [any-thread], and throw INTERNAL for an id that open() did not return.
  uint32_t count() const;  // of logical files; the ids are 1 … count
  uint64_t size(uint32_t id) const;
  // Returns the path of the first piece, as the user would write it: for messages.
  const std::string& name(uint32_t id) const;
  const std::vector<std::string>& pieces(uint32_t id) const;

  // Fills `data`. Throws CORRUPT for a range that does not lie in the file (offsets come from the
  // file itself), and IO for a file that has changed since open().
  void read(uint32_t id, uint64_t offset, std::span<std::byte> data) const;
  // Hints to the page cache. will_need: the range is read soon. The other: from here on, no byte
  // that read() returned is read again.
  void will_need(uint32_t id, uint64_t offset, uint64_t size) const;
  void drop_behind() const;

  // Throws IO where size, time or inode of an opened piece is not what it was at open().
  void require_unchanged() const;

  // Returns the state that each piece had when it was opened, in the order of opening.
  std::vector<SourceState> states() const;

  // For tests of access patterns: files opened, again after eviction included; bytes read.
  uint64_t opens() const;
  uint64_t bytes_read() const;

 private:
  struct State;
  std::unique_ptr<State> state_;  // threads hold on to it while an InputFiles moves
};

}  // namespace ckptbridge
