// Little-endian integers of 2, 4 and 8 bytes in byte buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

// The first sizeof(T) bytes of data, which are there.
template <class T>
T load(std::span<const std::byte> data) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) |
                           std::to_integer<std::uint64_t>(data[i]));
  }
  return value;
}

template <class T>
void append(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

}  // namespace ckptbridge::torch_file
