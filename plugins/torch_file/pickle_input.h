// The bytes of a pickle as the unpickler takes them: an opcode, then the opcode's argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/opcodes.h"

namespace ckptbridge::torch_file {

// Each take function throws CORRUPT where the bytes end too soon or spell no such argument.
class PickleInput {
 public:
  // name: the file, for messages. data and name must outlive this.
  PickleInput(std::span<const std::byte> data, const std::string& name)
      : data_(data), name_(name) {}

  Opcode take_opcode() {
    opcode_position_ = position_;
    return static_cast<Opcode>(take<std::uint8_t>());
  }
  std::span<const std::byte> take(std::uint64_t size) {
    if (size > data_.size() - position_) fail_at_end(size);
    const auto result = data_.subspan(position_, size);
    position_ += size;
    return result;
  }
  // A little-endian integer.
  template <class T>
  T take() {
    return load<T>(take(sizeof(T)));
  }
  // size bytes, which need not be UTF-8.
  std::string_view take_text(std::uint64_t size);
  // What precedes the next newline.
  std::string_view take_line();
  // A size of 4 bytes that Python writes as a signed integer.
  std::uint64_t take_signed_size();
  // A decimal line.
  std::uint64_t take_index_line();

  // The number of bytes taken.
  std::uint64_t position() const { return position_; }

  // Throws an Error that names the file and the byte at which the last opcode stands.
  [[noreturn]] void fail(const std::string& message) const { fail(CKB_CORRUPT, message); }
  [[noreturn]] void fail(ckb_status code, const std::string& message) const;

 private:
  [[noreturn]] void fail_at_end(std::uint64_t size) const;

  std::span<const std::byte> data_;
  const std::string& name_;
  std::uint64_t position_ = 0;
  std::uint64_t opcode_position_ = 0;
};

}  // namespace ckptbridge::torch_file
