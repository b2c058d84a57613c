#include "plugins/torch_file/byte_source.h"

#include <algorithm>

#include "ckptbridge/error.hpp"

namespace ckptbridge::torch_file {

WindowSource::WindowSource(const ByteSource& base, std::uint64_t offset, std::uint64_t size,
                           std::string name)
    : base_(base), offset_(offset), size_(size), name_(std::move(name)) {
  if (offset > base.size() || size > base.size() - offset) {
    throw Error(CKB_CORRUPT, name_ + ": bytes " + std::to_string(offset) + " to " +
                                 std::to_string(offset) + " + " + std::to_string(size) +
                                 " are beyond the end of " + base.name() + ", which has " +
                                 std::to_string(base.size()));
  }
}

void WindowSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    throw Error(CKB_INTERNAL, name_ + ": read beyond its end, at byte " + std::to_string(offset));
  }
  base_.read(offset_ + offset, out);
}

void MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > data_.size() || out.size() > data_.size() - offset) {
    throw Error(CKB_INTERNAL, name_ + ": read beyond its end, at byte " + std::to_string(offset));
  }
  std::ranges::copy(data_.subspan(offset, out.size()), out.begin());
}

Bytes read_range(const ByteSource& source, std::uint64_t offset, std::uint64_t size,
                 const std::string& what) {
  if (offset > source.size() || size > source.size() - offset) {
    throw Error(CKB_CORRUPT, source.name() + ": " + what + " takes " + std::to_string(size) +
                                 " bytes from byte " + std::to_string(offset) +
                                 " on, the file has " + std::to_string(source.size()));
  }
  Bytes bytes(size);
  source.read(offset, bytes);
  return bytes;
}

}  // namespace ckptbridge::torch_file
