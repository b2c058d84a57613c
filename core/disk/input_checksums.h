// What input files say of the CRC-32 of their own bytes, held against the bytes as they are read.
//
// The check reads almost nothing itself: add() gets the bytes that a conversion reads anyway, in
// pieces of any size and order. A byte is summed when it comes for the first time, the sums of
// neighbouring pieces are combined, and a storage is compared once all of its bytes have come.
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

// Returns true where `bytes` of a storage of `size` bytes may be read for its checksum alone: 4
// KiB, or a 64th of the storage.
bool is_little(std::uint64_t bytes, std::uint64_t size);

// How far the check of a storage has come: an interrupted run notes it, and a resumed run reads it.
struct StorageCheck {
  ckb_file file;
  std::uint64_t offset;
  bool is_done;  // true: checked or left out; false: some of the bytes were read
};

struct WrongChecksum {
  std::string file;
  std::string text;  // which part of the file, and which checksum was found
};

class InputChecksums {
 public:
  // Ends all checks.
  void ignore() { ignored_ = true; }
  // From here on, a wrong checksum does not throw; wrong() returns it. verify and inspect, which
  // judge a file, ask for that.
  void collect() { collects_ = true; }

  // Tells the CRC-32 of a storage. what: the name of the storage within its file, for messages. A
  // storage without bytes is not checked.
  void expect(ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc,
              std::string what);

  // Ends the checks of the storages at these files and offsets, of which the conversion reads only
  // parts.
  void leave_out(std::span<const std::pair<ckb_file, std::uint64_t>> places);

  // Takes over how far the checks of an earlier run on the same files had come.
  void go_on(std::span<const StorageCheck> checks);

  // [any-thread] Takes bytes of a file that were read. Throws CORRUPT, naming the file and the
  // storage, where the bytes complete a storage whose checksum is not what the file says.
  void add(const InputFiles& sources, ckb_file file, std::uint64_t offset,
           std::span<const std::byte> bytes);

  // Reads the missing bytes of storages of which few are missing (is_little), such as padding that
  // no tensor shows, and of those that an earlier run had begun. Other storages of which bytes are
  // missing stay unchecked. Throws as add() does.
  void finish(const InputFiles& sources);

  // [any-thread] Returns the storages of which bytes came since the last call.
  std::vector<StorageCheck> take_news();

  // Returns the number of storages whose checksum was found right.
  std::uint64_t checked() const { return checked_; }
  // Returns what was wrong after collect(), by file and offset.
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
