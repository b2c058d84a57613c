// What input files say of the CRC-32 of their own bytes, held against the bytes as they are read.
//
// Nothing is read for it but the little that nobody else asks for. A storage is checked when all of
// it has come by, in whatever pieces and order: each byte is summed the first time, and the sums of
// neighbours are combined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ckptbridge/plugin.h"
#include "core/disk/input_files.h"

namespace ckptbridge {

// So few of a storage's bytes are read for the sake of its checksum alone.
bool is_little(std::uint64_t bytes, std::uint64_t size);

// How far the check of a storage has come, for a run that goes on with another one's work.
struct StorageCheck {
  ckb_file file;
  std::uint64_t offset;
  bool is_done;  // nothing is left to check; else some of it was read
};

struct WrongChecksum {
  std::string file;
  std::string text;  // what of it, and what was found
};

class InputChecksums {
 public:
  // Nothing is checked from here on.
  void ignore() { ignored_ = true; }
  // What is wrong does not throw from here on, but is kept: of a file that is to be judged.
  void collect() { collects_ = true; }

  // A storage and its CRC-32; what names it within its file. A storage without bytes counts for
  // nothing.
  void expect(ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc,
              std::string what);

  // The storages at these files and offsets will not be read as a whole.
  void leave_out(std::span<const std::pair<ckb_file, std::uint64_t>> places);

  // What an earlier run knew of the same files: what it checked is taken for checked.
  void go_on(std::span<const StorageCheck> checks);

  // [any-thread] These bytes of a file were read. Error CORRUPT, which names the file and the
  // storage, where they complete one that is not what the file says.
  void add(const InputFiles& sources, ckb_file file, std::uint64_t offset,
           std::span<const std::byte> bytes);

  // Reads what is left of storages that were begun: padding that no tensor shows, and all of what
  // an earlier run had begun. Another one of which more is left stays unchecked. Throws as add()
  // does.
  void finish(const InputFiles& sources);

  // [any-thread] What has come further since the last call.
  std::vector<StorageCheck> take_news();

  // Storages that were found to be what their files say.
  std::uint64_t checked() const { return checked_; }
  // What was collected, by place.
  const std::map<std::pair<ckb_file, std::uint64_t>, WrongChecksum>& wrong() const {
    return wrong_;
  }

 private:
  using Key = std::pair<ckb_file, std::uint64_t>;

  // Bytes that came by, up to end.
  struct Part {
    std::uint64_t end;
    std::uint32_t crc;
    bool is_summed;  // else a thread is at it
  };
  using Parts = std::map<std::uint64_t, Part>;  // by begin; apart, or not joined yet

  struct Expected {
    std::uint64_t size;
    std::uint32_t crc;
    std::string what;
    bool is_closed = false;  // checked, or left out
    bool was_begun = false;  // by an earlier run
    Parts parts;
  };
  using Map = std::map<Key, Expected>;

  void add_to(const InputFiles& sources, Map::value_type& item, std::uint64_t begin,
              std::span<const std::byte> bytes);
  std::uint64_t missing_of(const Map::value_type& item) const;

  bool ignored_ = false;
  bool collects_ = false;
  std::mutex mutex_;  // of what is in the items, and of all below
  Map items_;
  std::vector<StorageCheck> news_;
  std::uint64_t checked_ = 0;
  std::map<Key, WrongChecksum> wrong_;
};

}  // namespace ckptbridge
