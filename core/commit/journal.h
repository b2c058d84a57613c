// The journal of a staging folder: which bytes of the output are made and on the disk, so that an
// interrupted run can be resumed.
//
// The file is a row of blocks. Numbers have 64 bits, little-endian; a text is its size and its
// bytes.
//
//   block    size of what follows the two numbers, its XXH3-64, and
//   first    "ckptbridge journal 2", version, plan, total bytes, inode of output/,
//            count of sources, and of each: path, size, mtime (ns)
//            count of pairs that should be equal and are not, and of each: its number
//   others   count of ranges, and of each: file, begin, size
//            count of parts, and of each: file, checksum range, begin, size, CRC-32
//            count of storages of sources of which the check went on, and of each: source, offset,
//            1 if it is done, else 0
//
// A block is written when all that it tells of is on the disk, so each whole block can be trusted;
// what a power cut or a kill leaves of a last one does not have its XXH3, and is passed over.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/disk/file.h"
#include "core/disk/input_checksums.h"
#include "core/disk/input_files.h"
#include "core/disk/output_files.h"
#include "core/execute/output_checksums.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// What must be the same for a run to go on where another one stopped.
struct Identity {
  std::string version;  // of this program and of the plugins
  std::string plan;     // a digest of what goes where and comes from where
  std::vector<SourceState> sources;
  bool operator==(const Identity&) const = default;
};

struct MadeRange {
  std::uint32_t file;  // number in the layout
  std::uint64_t begin;
  std::uint64_t size;
};

// Bytes of the output, the parts of checksums that lie in them, and what is known of the storages
// that they were made from.
struct Made {
  std::vector<MadeRange> ranges;
  std::vector<ChecksumPart> parts;
  std::vector<StorageCheck> storages;
  std::uint64_t size() const;  // bytes in ranges
};

// What is known when the first byte is made.
struct JournalHead {
  Identity identity;
  std::uint64_t total = 0;  // bytes of the whole output
  // Of the pairs of values that should be equal, in the arena's order, those that are not. All
  // others were compared, and are.
  std::vector<std::uint64_t> unequal = {};
};

struct JournalContent {
  JournalHead head;
  std::uint64_t inode = 0;  // of the folder that the journal speaks of
  Made made;
};

// The journal of the staging folder `partial`; nothing if it has none, or no whole first block.
std::optional<JournalContent> read_journal(const boost::filesystem::path& partial);

class Journal {
 public:
  // Begins the journal of `partial`, in place of one that is there, with what is made already.
  // `output` and `checks` must outlive it. After every `interval` bytes, data and journal are
  // brought to the disk.
  Journal(const boost::filesystem::path& partial, const JournalHead& head, OutputFiles& output,
          InputChecksums& checks, std::uint64_t interval, const Made& made);

  // [any-thread] These ranges were written: call it after write() returned. Every now and then
  // this takes as long as a disk needs for `interval` bytes, while other threads may go on.
  void add(std::span<const OutputRange> ranges, std::span<const ChecksumPart> parts);

  // Brings all that was added to the disk, and tells it. Call it when no thread adds.
  void checkpoint();

  // Bytes that a resumed run need not make again.
  std::uint64_t made() const { return made_; }

 private:
  void write(const Made& made);
  Made take_added();

  const boost::filesystem::path partial_;
  OutputFiles& output_;
  InputChecksums& checks_;
  const std::uint64_t interval_;
  File file_;
  std::uint64_t end_ = 0;  // of the journal
  std::uint64_t made_ = 0;
  bool has_folders_ = false;  // the names of the output's files are on the disk
  std::mutex mutex_;
  Made added_;  // since the last block
  std::uint64_t added_size_ = 0;
  bool writing_ = false;
};

}  // namespace ckptbridge
