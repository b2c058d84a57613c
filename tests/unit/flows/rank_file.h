// mp_rank_XX_model_states.pt in memory: read for comparison, or made with what a test needs.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "plugins/torch_file/crc32.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/unit/flows/dcp_folder.h"

namespace ckptbridge {

inline std::string rank_name(int rank) {
  return fmt::format("mp_rank_{:02}_model_states.pt", rank);
}

struct RankEntry {
  std::string name;
  std::string form;   // "bfloat16[64, 3]", or "object"
  std::string bytes;  // of the elements; the pickle of an object
  std::string storage;
  std::uint64_t storage_size = 0;
  bool requires_grad = false;
};

struct RankContent {
  std::vector<std::string> keys;
  std::vector<RankEntry> module;
  std::vector<std::string> param_shapes;      // "name[64, 3]"
  std::map<std::string, std::string> others;  // pickles by key

  const RankEntry* find(const std::string& name) const {
    for (const RankEntry& entry : module) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }
};

inline std::string sizes_text(const std::vector<std::int64_t>& sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

inline std::string pickle_text(const torch_file::TorchFile& pt, torch_file::ValueId id) {
  const torch_file::Bytes bytes = torch_file::pickle(pt.values, id);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Sets the CRC-32 of records whose bytes a test has changed.
inline void repair_checksums(std::string& file) {
  namespace tf = torch_file;
  const auto field_of = [](std::uint32_t sum) {
    return std::string(reinterpret_cast<const char*>(&sum), sizeof(sum));
  };
  const tf::MemorySource source(std::as_bytes(std::span(file)), "file");
  for (const tf::ZipRecord& record : tf::read_zip_directory(source).records) {
    const auto bytes = std::as_bytes(std::span(file)).subspan(record.offset, record.size);
    const std::string right = field_of(tf::crc32(bytes));
    const std::string stored = field_of(record.crc32);
    if (right == stored || record.crc32 == 0) continue;
    for (auto at = file.find(stored); at != std::string::npos; at = file.find(stored)) {
      file.replace(at, stored.size(), right);
    }
  }
}

// One item of a dict in a file of this text; a tensor must be contiguous.
inline RankEntry rank_entry(const torch_file::TorchFile& pt, const std::string& text,
                            const torch_file::Item& item) {
  RankEntry entry{std::string(pt.values.as_string(item.key).value()), "object", "", "", 0, false};
  const auto tensor = torch_file::read_tensor(pt.values, item.value, entry.name);
  if (!tensor) {
    entry.bytes = pickle_text(pt, item.value);
    return entry;
  }
  EXPECT_TRUE(tensor->is_contiguous()) << entry.name;
  const std::size_t size = item_size(tensor->dtype);
  entry.form = dtype_name(tensor->dtype) + sizes_text(tensor->shape);
  entry.bytes = text.substr(pt.extent(tensor->storage).offset + tensor->offset * size,
                            tensor->count() * size);
  entry.storage = tensor->storage.key;
  entry.storage_size = tensor->storage.size;
  entry.requires_grad = tensor->requires_grad;
  return entry;
}

inline RankContent read_rank_file(const boost::filesystem::path& path) {
  namespace tf = torch_file;
  const std::string text = file_text(path);
  const tf::MemorySource source(std::as_bytes(std::span(text)), path.string());
  const tf::TorchFile pt = tf::read_torch_file(source);
  RankContent content;
  for (const tf::Item& item : tf::items_of(pt.values, pt.root)) {
    const std::string key(pt.values.as_string(item.key).value());
    content.keys.push_back(key);
    if (key != "module" && key != "param_shapes") content.others[key] = pickle_text(pt, item.value);
  }
  const auto module = tf::require(pt.values, pt.root, "module", "file");
  for (const tf::Item& item : tf::items_of(pt.values, module)) {
    content.module.push_back(rank_entry(pt, text, item));
  }
  if (const auto shapes = tf::find(pt.values, pt.root, "param_shapes")) {
    for (const tf::Item& item : tf::items_of(pt.values, *shapes)) {
      content.param_shapes.push_back(std::string(pt.values.as_string(item.key).value()) +
                                     sizes_text(tf::int_list(pt.values, item.value).value()));
    }
  }
  return content;
}

// A tensor to be written; tensors with the same storage are tied.
struct NewEntry {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string bytes;  // of its storage, which may be larger than the tensor
  int storage = -1;   // -1: one of its own
  Dtype dtype = kUInt8;
  std::uint64_t offset = 0;  // of its first element in the storage
};

// The file of a rank that has these tensors, and these numbers as its other keys.
inline std::string make_rank_file(const std::vector<NewEntry>& entries,
                                  const std::map<std::string, std::int64_t>& numbers = {}) {
  namespace tf = torch_file;
  tf::Values values;
  const tf::ValueId module = tf::make_ordered_dict(values);
  std::vector<std::string> payloads;
  std::vector<std::uint64_t> sizes;
  std::map<int, std::size_t> tied;
  for (const NewEntry& entry : entries) {
    std::size_t number = payloads.size();
    if (entry.storage >= 0) number = tied.emplace(entry.storage, number).first->second;
    if (number == payloads.size()) {
      payloads.push_back(entry.bytes);
      sizes.push_back(entry.bytes.size());
    }
    tf::Tensor tensor;
    tensor.storage.key = std::to_string(number);
    tensor.storage.size = entry.bytes.size();
    tensor.dtype = entry.dtype;
    tensor.offset = entry.offset;
    tensor.shape = entry.shape;
    tensor.strides = tf::contiguous_strides(entry.shape);
    values.set_item(module, values.string(entry.name), tf::make_tensor(values, tensor));
  }
  const tf::ValueId root = values.dict();
  values.set_item(root, values.string("module"), module);
  for (const auto& [key, number] : numbers) {
    values.set_item(root, values.string(key), values.integer(number));
  }
  const tf::ZipLayout zip = tf::lay_out_torch_file(tf::pickle(values, root), sizes);
  std::string file(zip.size, '\0');
  for (const auto& literal : zip.literals) {
    std::memcpy(file.data() + literal.offset, literal.bytes.data(), literal.bytes.size());
  }
  for (const auto& payload : zip.payloads) {
    file.replace(payload.offset, payload.size, payloads[payload.index]);
  }
  for (const auto& crc : zip.crcs) {
    const std::uint32_t sum = tf::crc32(std::as_bytes(std::span(file)).subspan(crc.from, crc.size));
    std::memcpy(file.data() + crc.offset, &sum, sizeof(sum));
  }
  return file;
}

}  // namespace ckptbridge
