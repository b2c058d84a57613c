// Where a .pt is read from: a file, a window of one, or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ckptbridge/error.hpp"

namespace ckptbridge::torch_file {

using Bytes = std::vector<std::byte>;

// CKB_CORRUPT: a file ends before its contents do.
class CutShort : public Error {
 public:
  explicit CutShort(const std::string& message) : Error(CKB_CORRUPT, message) {}
};

// Read-only input of a known size. A plugin derives from it over the host's read_file.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  // The path as the user writes it, with which each error message about this source begins.
  virtual const std::string& name() const = 0;
  // Fills all of out from offset on, or throws Error. [offset, offset + out.size()) lies in size().
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// The bytes [offset, offset + size) of another source, such as an item of a .distcp. The other
// source must outlive the window. Offsets of what is found in the window count from its beginning.
class WindowSource final : public ByteSource {
 public:
  // Throws CKB_CORRUPT when the window does not lie in base.
  WindowSource(const ByteSource& base, std::uint64_t offset, std::uint64_t size, std::string name);

  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  const ByteSource& base_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::string name_;
};

// Borrowed memory.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> data, std::string name)
      : data_(data), name_(std::move(name)) {}

  std::uint64_t size() const override { return data_.size(); }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::span<const std::byte> data_;
  std::string name_;
};

// Returns [offset, offset + size) of source. Throws CKB_CORRUPT, naming what was to be read, when
// the range does not lie in source; nothing is allocated before.
Bytes read_range(const ByteSource& source, std::uint64_t offset, std::uint64_t size,
                 const std::string& what);

}  // namespace ckptbridge::torch_file
