// The host's input files and output layouts, as a plugin that works with .pt files needs them.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "ckptbridge/plugin.hpp"
#include "plugins/torch_file/byte_source.h"
#include "plugins/torch_file/dangerous.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/zip_layout.h"

namespace ckptbridge::torch_file {

// A file that was opened through the host; the graph outlives it.
class HostSource final : public ByteSource {
 public:
  HostSource(const plugin::Graph& graph, ckb_file file, std::string name)
      : graph_(graph), file_(file), name_(std::move(name)) {}

  std::uint64_t size() const override { return graph_.file_size(file_); }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    graph_.read_file(file_, offset, out);
  }

 private:
  const plugin::Graph& graph_;
  ckb_file file_;
  std::string name_;
};

// Declares the storages of a .pt that begins at offset of a file, and what it says of their CRC-32.
// item: which of several in the file it is.
inline void declare_storages(plugin::Graph& graph, ckb_file file, std::uint64_t offset,
                             const TorchFile& pt, const std::string& item = "") {
  for (const auto& [key, storage] : pt.storages) {
    graph.add_storage(file, offset + storage.offset, storage.size);
    if (storage.crc32 == 0) continue;
    graph.expect_crc32(file, offset + storage.offset, storage.size, storage.crc32,
                       (item.empty() ? "" : item + ", ") + "record data/" + key);
  }
}

// Tells the user of functions in the file's pickle that only an attack needs (dangerous.h).
inline void warn_of_dangers(const Values& values, const std::string& file) {
  const std::string warning = warning_of(dangerous_names(values));
  constexpr int kWarning = 2;
  if (!warning.empty()) plugin::host->log(plugin::host, kWarning, (file + ": " + warning).c_str());
}

// Puts a .pt at offset of an output file; payloads: the value of each storage, by its number.
inline void put_torch_file(plugin::Layout& layout, std::uint32_t file, std::uint64_t offset,
                           const ZipLayout& zip, std::span<const ckb_node> payloads) {
  for (const auto& literal : zip.literals) {
    layout.put_bytes(file, offset + literal.offset, literal.bytes);
  }
  for (const auto& payload : zip.payloads) {
    if (payload.size > 0) layout.put_value(file, offset + payload.offset, payloads[payload.index]);
  }
  for (const auto& crc : zip.crcs) {
    layout.put_crc32(file, offset + crc.offset, offset + crc.from, crc.size);
  }
}

}  // namespace ckptbridge::torch_file
