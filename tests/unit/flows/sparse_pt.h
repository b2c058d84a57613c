// Writes .pt files that are far larger than the disk: their tensors are holes, but for what a test
// puts there.
#pragma once

#include <algorithm>
#include <fcntl.h>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/filesystem.hpp>
#include <gtest/gtest.h>

#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge {

struct SparseTensor {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::pair<std::uint64_t, std::string>> bytes = {};  // offset in the tensor, what
};

// PATH.part0, PATH.part1, …: a file of `size` bytes in pieces of piece_size.
class SparsePieces {
 public:
  SparsePieces(const boost::filesystem::path& path, std::uint64_t size, std::uint64_t piece_size)
      : piece_size_(piece_size) {
    for (std::uint64_t begin = 0; begin < size; begin += piece_size) {
      const std::string name = path.string() + ".part" + std::to_string(files_.size());
      files_.push_back(::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
      const std::uint64_t piece = std::min(piece_size, size - begin);
      EXPECT_EQ(::ftruncate(files_.back(), static_cast<off_t>(piece)), 0) << name;
    }
  }
  SparsePieces(const SparsePieces&) = delete;
  SparsePieces& operator=(const SparsePieces&) = delete;
  ~SparsePieces() {
    for (const int file : files_) ::close(file);
  }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const std::uint64_t within = offset % piece_size_;
      const auto step = std::min<std::uint64_t>(bytes.size(), piece_size_ - within);
      EXPECT_EQ(
          ::pwrite(files_.at(offset / piece_size_), bytes.data(), step, static_cast<off_t>(within)),
          static_cast<ssize_t>(step));
      offset += step;
      bytes = bytes.subspan(step);
    }
  }

 private:
  std::uint64_t piece_size_;
  std::vector<int> files_;
};

// A checkpoint of these tensors, in pieces; returns its size as a whole.
inline std::uint64_t write_sparse_pt(const boost::filesystem::path& path,
                                     const std::vector<SparseTensor>& tensors,
                                     std::uint64_t piece_size) {
  namespace tf = torch_file;
  tf::Values values;
  const tf::ValueId module = tf::make_ordered_dict(values);
  std::vector<std::uint64_t> sizes;
  for (const SparseTensor& tensor : tensors) {
    const std::string key = std::to_string(sizes.size());
    values.set_item(module, values.string(tensor.name),
                    tf::make_tensor(values, key, tensor.dtype, tensor.shape));
    sizes.push_back(item_size(tensor.dtype));
    for (const std::int64_t size : tensor.shape) sizes.back() *= static_cast<std::uint64_t>(size);
  }
  const tf::ValueId root = values.dict({{values.string("module"), module}});
  const tf::ZipLayout zip = tf::lay_out_torch_file(tf::pickle(values, root), sizes);
  boost::filesystem::create_directories(path.parent_path());
  const SparsePieces file(path, zip.size, piece_size);
  for (const auto& literal : zip.literals) file.write(literal.offset, literal.bytes);
  for (const auto& payload : zip.payloads) {
    for (const auto& [offset, bytes] : tensors[payload.index].bytes) {
      file.write(payload.offset + offset, std::as_bytes(std::span(bytes)));
    }
  }
  return zip.size;
}

}  // namespace ckptbridge
