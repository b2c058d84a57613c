// Reads a torch.distributed.checkpoint folder for comparison: ours, or one of the real importer.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <boost/filesystem.hpp>
#include <gtest/gtest.h>

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge {

inline std::string file_text(const boost::filesystem::path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  EXPECT_TRUE(in) << path.string();
  return {std::istreambuf_iterator<char>(in), {}};
}

// The files at any depth, by their paths below folder.
inline std::map<std::string, std::string> files_in(const boost::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : boost::filesystem::recursive_directory_iterator(folder)) {
    if (!boost::filesystem::is_regular_file(entry.path())) continue;
    files[entry.path().lexically_relative(folder).string()] = file_text(entry.path());
  }
  return files;
}

struct DcpTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;  // of all chunks, row-major
  std::size_t chunks = 0;

  friend bool operator==(const DcpTensor& a, const DcpTensor& b) {
    return a.dtype == b.dtype && a.shape == b.shape && a.bytes == b.bytes;
  }
};

struct DcpFolder {
  std::map<std::string, DcpTensor> tensors;
  // An object as the pickle of what its .pt holds.
  std::map<std::string, std::string> objects;
};

// Chunks must be whole rows, as those of one-rank checkpoints are.
inline DcpFolder read_dcp(const boost::filesystem::path& folder) {
  namespace tf = torch_file;
  DcpFolder result;
  const std::string text = file_text(folder / ".metadata");
  tf::Values values;
  const auto root = tf::unpickle(values, std::as_bytes(std::span(text)), ".metadata").root;
  const auto field = [&](tf::ValueId object, const char* name) {
    return tf::attribute(values, object, name).value();
  };
  const auto string = [&](tf::ValueId id) { return std::string(values.as_string(id).value()); };

  for (const auto& [key, entry] : tf::items_of(values, field(root, "state_dict_metadata"))) {
    if (!tf::attribute(values, entry, "size")) continue;
    DcpTensor& tensor = result.tensors[string(key)];
    tensor.shape = tf::int_list(values, field(entry, "size")).value();
    tensor.chunks = values.elements(field(entry, "chunks")).size();
  }
  struct Chunk {
    std::int64_t row;
    std::string bytes;
  };
  std::map<std::string, std::vector<Chunk>> chunks;
  std::map<std::string, std::string> files;  // read once
  for (const auto& [index, info] : tf::items_of(values, field(root, "storage_data"))) {
    const std::string key = string(field(index, "fqn"));
    const std::string file = string(field(info, "relative_path"));
    if (!files.contains(file)) files[file] = file_text(folder / file);
    const std::string& data = files[file];
    const auto offset = static_cast<std::size_t>(*values.as_int(field(info, "offset")));
    const auto length = static_cast<std::size_t>(*values.as_int(field(info, "length")));
    const std::string item = data.substr(offset, length);
    const tf::MemorySource source(std::as_bytes(std::span(item)), key);
    const tf::TorchFile pt = tf::read_torch_file(source);
    if (!result.tensors.contains(key)) {
      const tf::Bytes pickle = tf::pickle(pt.values, pt.root);
      result.objects[key].assign(reinterpret_cast<const char*>(pickle.data()), pickle.size());
      continue;
    }
    const tf::Tensor tensor = tf::require_tensor(pt.values, pt.root, key);
    EXPECT_TRUE(tensor.is_contiguous()) << key;
    result.tensors[key].dtype = dtype_name(tensor.dtype);
    const auto offsets = tf::int_list(values, field(index, "offset")).value();
    chunks[key].push_back(
        {offsets.empty() ? 0 : offsets[0],
         item.substr(pt.extent(tensor.storage).offset, tensor.count() * item_size(tensor.dtype))});
  }
  for (auto& [key, parts] : chunks) {
    std::sort(parts.begin(), parts.end(),
              [](const Chunk& a, const Chunk& b) { return a.row < b.row; });
    for (const Chunk& part : parts) result.tensors[key].bytes += part.bytes;
  }
  return result;
}

}  // namespace ckptbridge
