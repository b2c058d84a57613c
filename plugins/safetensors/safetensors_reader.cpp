// safetensors-reader: tensors of .safetensors files, alone or with the index of their shards.
// header.h and model_files.h describe the files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json.h"
#include "plugins/safetensors/header.h"
#include "plugins/safetensors/model_files.h"
#include "plugins/state_dict/family.h"

namespace {

using ckptbridge::Error;
using ckptbridge::plugin::Graph;
using ckptbridge::safetensors::Entry;
using ckptbridge::safetensors::Header;
using ckptbridge::safetensors::ModelFiles;
namespace st = ckptbridge::safetensors;

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return number;
}

// N, and the '{' that follows it.
bool starts_as_safetensors(std::span<const std::byte> head) {
  return head.size() > st::kPrefixBytes &&
         little_endian(head.first(st::kPrefixBytes)) <= st::kMostHeaderBytes &&
         head[st::kPrefixBytes] == std::byte{'{'};
}

std::string read_text(const Graph& graph, ckb_file file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  graph.read_file(file, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

class SafetensorsReader : public ckptbridge::plugin::Reader {
 public:
  static int probe(const char* path) {
    try {
      const ModelFiles files = st::find_model_files(path);
      if (files.is_index()) return 90;
      std::ifstream in(std::filesystem::path(files.folder) / files.name, std::ios::binary);
      std::array<char, st::kPrefixBytes + 1> head{};
      in.read(head.data(), head.size());
      if (!in.is_open() || in.bad()) {
        throw Error(CKB_IO, std::string(path) + ": cannot be read", {.file = path});
      };
      const auto size = static_cast<std::size_t>(in.gcount());
      if (starts_as_safetensors(std::as_bytes(std::span(head).first(size)))) return 80;
      return files.name.ends_with(st::kEnding) ? 30 : 0;  // read_graph() says what is wrong
    } catch (const Error& error) {
      if (error.code() == CKB_IO) throw;
      return error.code() == CKB_UNSUPPORTED ? 40 : 0;  // several: read_graph() says which
    }
  }

  SafetensorsReader(const char* path, const char*) : path_(path) {}

  void read_graph(Graph& out) override {
    const ModelFiles files = st::find_model_files(path_);
    if (files.is_index()) {
      read_shards(out, files);
    } else {
      read_file(out, files.name, nullptr);
    }
    if (!metadata_.empty()) out.add_object(st::kMetadata, "json", metadata_.dump());
    out.set_property("format", "safetensors");
    out.set_property("mp_world_size", "1");
    if (!family_.empty()) out.set_property("names", std::string(family_));
  }

 private:
  using FileOf = std::map<std::string, std::string>;

  void read_shards(Graph& out, const ModelFiles& files) {
    const ckb_file index = out.open_file(files.name);
    if (out.file_size(index) > st::kMostHeaderBytes) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: has {} bytes, expected at most {}", files.name,
                              out.file_size(index), st::kMostHeaderBytes),
                  {.file = files.name});
    }
    const FileOf file_of = ckptbridge::about({.file = files.name}, [&] {
      return st::parse_index(read_text(out, index, 0, out.file_size(index)), files.name);
    });
    std::set<std::string> shards;
    for (const auto& [tensor, shard] : file_of) shards.insert(shard);
    for (const std::string& shard : shards) {
      if (!std::filesystem::exists(std::filesystem::path(files.folder) / shard)) {
        throw Error(CKB_NOT_FOUND, fmt::format("{} names {}, which is missing", files.name, shard),
                    {.file = shard});
      }
      read_file(out, shard, &file_of);
    }
    for (const auto& [tensor, shard] : file_of) {
      if (!read_.contains(tensor)) {
        throw Error(
            CKB_CORRUPT,
            fmt::format("{}: {} should be in {}, which lacks it", files.name, tensor, shard),
            {.file = shard, .tensor = tensor});
      }
    }
  }

  // file_of: which file each tensor is to be taken from; nullptr: from this one.
  void read_file(Graph& out, const std::string& name, const FileOf* file_of) {
    const ckb_file file = out.open_file(name);
    const std::uint64_t size = out.file_size(file);
    std::array<std::byte, st::kPrefixBytes> prefix{};
    if (size >= prefix.size()) out.read_file(file, 0, prefix);
    const std::uint64_t header_size = little_endian(prefix);
    if (size < prefix.size() ||
        header_size > std::min(size - prefix.size(), st::kMostHeaderBytes)) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: is not a safetensors file, or cut short: a header of "
                              "{} bytes in {} bytes (at most {})",
                              name, header_size, size, st::kMostHeaderBytes),
                  {.file = name});
    }
    const std::uint64_t data = prefix.size() + header_size;
    const Header header = ckptbridge::about({.file = name}, [&] {
      return st::parse_header(read_text(out, file, prefix.size(), header_size), size - data, name);
    });
    keep_metadata(header, name);
    out.add_storage(file, data, size - data);
    for (const Entry& entry : header.entries) {
      const ckb_node value = out.add_extent(file, data + entry.begin, entry.dtype, entry.shape);
      if (file_of != nullptr) {
        const auto named = file_of->find(entry.name);
        if (named == file_of->end() || named->second != name) {
          out.drop(value, "tensors that the index does not name");
          continue;
        }
        read_.insert(entry.name);
      }
      if (family_.empty()) family_ = ckptbridge::state_dict::family_of(entry.name);
      out.add_tensor({.name = entry.name, .value = value}, entry.shape, entry.dtype);
    }
  }

  // What is said of the file itself, is made anew.
  void keep_metadata(const Header& header, const std::string& name) {
    for (const auto& [key, value] : header.metadata) {
      if (key == "DCP_SHARDING_INFO") {
        throw Error(CKB_UNSUPPORTED,
                    name + ": holds parts of tensors, as torch.distributed.checkpoint saves them",
                    {.file = name, .hint = "consolidate_safetensors_files of torch joins them"});
      }
      if (key != "format" && !metadata_.contains(key)) metadata_.append(key, value);
    }
  }

  std::string path_;
  std::string_view family_;
  ckptbridge::Json metadata_ = ckptbridge::Json::object();
  std::set<std::string> read_;
};

}  // namespace

CKPTBRIDGE_READER(SafetensorsReader, "safetensors-reader", CKPTBRIDGE_VERSION)
