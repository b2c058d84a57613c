// Opcodes and their arguments are those of Lib/pickletools.py (CPython 3.13); see opcodes.h.
#include "plugins/torch_file/pickle_stream.h"

#include <algorithm>
#include <bit>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/opcodes.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::uint64_t kSmallestStep = std::uint64_t{1} << 12;

class Scanner {
 public:
  Scanner(const ByteSource& source, std::uint64_t offset, std::uint64_t max_size,
          const std::string& what)
      : source_(source),
        offset_(offset),
        rest_(source.size() - std::min(source.size(), offset)),
        max_size_(max_size),
        what_(what) {}

  Bytes run() {
    for (;;) {
      const auto opcode = static_cast<Opcode>(take<std::uint8_t>());
      if (opcode == Opcode::kStop) break;
      skip_argument(opcode);
    }
    bytes_.resize(position_);
    return std::move(bytes_);
  }

 private:
  void skip_argument(Opcode opcode);

  [[noreturn]] void fail(ckb_status code, const std::string& message) const {
    throw Error(code, place() + message);
  }
  std::string place() const {
    return source_.name() + ": " + what_ + " at byte " + std::to_string(offset_) + ": ";
  }

  // Makes the next size bytes available.
  void need(std::uint64_t size) {
    if (size > rest_ - position_) {
      throw CutShort(place() + "it does not end before the file does, at byte " +
                     std::to_string(source_.size()) + "; the file is cut short or damaged");
    }
    if (size > max_size_ || position_ > max_size_ - size) {
      fail(CKB_UNSUPPORTED, "it has more than " + std::to_string(max_size_) + " bytes");
    }
    if (size <= bytes_.size() - position_) return;
    const std::uint64_t have = bytes_.size();
    const std::uint64_t want =
        std::min(rest_, std::max(position_ + size, have + std::max(have, kSmallestStep)));
    bytes_.resize(want);
    source_.read(offset_ + have, std::span(bytes_).subspan(have));
  }

  void skip(std::uint64_t size) {
    need(size);
    position_ += size;
  }

  template <class T>
  T take() {
    need(sizeof(T));
    const T value = load<T>(std::span(bytes_).subspan(position_));
    position_ += sizeof(T);
    return value;
  }

  void skip_line() {
    while (take<std::uint8_t>() != '\n') {
    }
  }

  void skip_signed() {
    const auto size = std::bit_cast<std::int32_t>(take<std::uint32_t>());
    if (size < 0) fail(CKB_CORRUPT, "a size in it is negative");
    skip(static_cast<std::uint64_t>(size));
  }

  const ByteSource& source_;
  const std::uint64_t offset_;
  const std::uint64_t rest_;
  const std::uint64_t max_size_;
  const std::string& what_;
  Bytes bytes_;
  std::uint64_t position_ = 0;
};

void Scanner::skip_argument(Opcode opcode) {
  switch (opcode) {
    case Opcode::kBinInt1:
    case Opcode::kBinGet:
    case Opcode::kBinPut:
    case Opcode::kProto:
    case Opcode::kExt1:
      return skip(1);
    case Opcode::kBinInt2:
    case Opcode::kExt2:
      return skip(2);
    case Opcode::kBinInt:
    case Opcode::kLongBinGet:
    case Opcode::kLongBinPut:
    case Opcode::kExt4:
      return skip(4);
    case Opcode::kBinFloat:
    case Opcode::kFrame:  // the frame's own bytes are opcodes
      return skip(8);
    case Opcode::kLong1:
    case Opcode::kShortBinString:
    case Opcode::kShortBinUnicode:
    case Opcode::kShortBinBytes:
      return skip(take<std::uint8_t>());
    case Opcode::kLong4:
    case Opcode::kBinString:
      return skip_signed();
    case Opcode::kBinUnicode:
    case Opcode::kBinBytes:
      return skip(take<std::uint32_t>());
    case Opcode::kBinUnicode8:
    case Opcode::kBinBytes8:
    case Opcode::kByteArray8:
      return skip(take<std::uint64_t>());
    case Opcode::kInt:
    case Opcode::kLong:
    case Opcode::kFloat:
    case Opcode::kString:
    case Opcode::kUnicode:
    case Opcode::kPersId:
    case Opcode::kGet:
    case Opcode::kPut:
      return skip_line();
    case Opcode::kGlobal:
    case Opcode::kInst:
      skip_line();
      return skip_line();
    case Opcode::kNone:
    case Opcode::kNewTrue:
    case Opcode::kNewFalse:
    case Opcode::kMark:
    case Opcode::kEmptyTuple:
    case Opcode::kTuple1:
    case Opcode::kTuple2:
    case Opcode::kTuple3:
    case Opcode::kTuple:
    case Opcode::kEmptyList:
    case Opcode::kList:
    case Opcode::kAppend:
    case Opcode::kAppends:
    case Opcode::kEmptyDict:
    case Opcode::kDict:
    case Opcode::kSetItem:
    case Opcode::kSetItems:
    case Opcode::kEmptySet:
    case Opcode::kAddItems:
    case Opcode::kFrozenSet:
    case Opcode::kStackGlobal:
    case Opcode::kReduce:
    case Opcode::kNewObj:
    case Opcode::kNewObjEx:
    case Opcode::kBuild:
    case Opcode::kObj:
    case Opcode::kBinPersId:
    case Opcode::kPop:
    case Opcode::kPopMark:
    case Opcode::kDup:
    case Opcode::kMemoize:
    case Opcode::kNextBuffer:
    case Opcode::kReadonlyBuffer:
    case Opcode::kStop:
      return;
  }
  fail(CKB_CORRUPT, "there is no opcode " + std::to_string(static_cast<int>(opcode)) + " (byte " +
                        std::to_string(position_ - 1) + " of it)");
}

}  // namespace

Bytes read_pickle(const ByteSource& source, std::uint64_t offset, std::uint64_t max_size,
                  const std::string& what) {
  return Scanner(source, offset, max_size, what).run();
}

}  // namespace ckptbridge::torch_file
