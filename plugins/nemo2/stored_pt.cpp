#include "plugins/nemo2/stored_pt.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/pickler.h"

namespace ckptbridge::nemo2 {
namespace {

// A window of an input file that keeps what lies at both of its ends.
class EdgeSource final : public torch_file::ByteSource {
 public:
  EdgeSource(const plugin::Graph& graph, ckb_file file, std::uint64_t offset, std::uint64_t size,
             std::string name)
      : graph_(graph), file_(file), offset_(offset), size_(size), name_(std::move(name)) {
    const std::uint64_t end = graph.file_size(file);
    if (offset > end || size > end - offset) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: [{}, {}) lies beyond the {} bytes of its file, which is cut "
                              "short or of another checkpoint",
                              name_, offset, offset + size, end));
    }
    head_.resize(std::min(size, size <= 2 * kEdge ? size : kEdge));
    graph.read_file(file, offset, head_);
    if (size <= head_.size()) return;
    tail_.resize(kEdge);
    graph.read_file(file, offset + size - kEdge, tail_);
  }

  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() <= head_.size()) {
      std::ranges::copy(std::span(head_).subspan(offset, out.size()), out.begin());
    } else if (!tail_.empty() && offset >= size_ - kEdge) {
      std::ranges::copy(std::span(tail_).subspan(offset - (size_ - kEdge), out.size()),
                        out.begin());
    } else {
      graph_.read_file(file_, offset_ + offset, out);
    }
  }

 private:
  static constexpr std::uint64_t kEdge = 4096;

  const plugin::Graph& graph_;
  const ckb_file file_;
  const std::uint64_t offset_;
  const std::uint64_t size_;
  const std::string name_;
  torch_file::Bytes head_;
  torch_file::Bytes tail_;
};

}  // namespace

StoredPt::StoredPt(plugin::Graph& graph, ckb_file file, std::uint64_t offset, std::uint64_t size,
                   const std::string& name)
    : graph_(graph),
      file_(file),
      offset_(offset),
      pt_(torch_file::read_torch_file(EdgeSource(graph, file, offset, size, name))) {
  torch_file::declare_storages(graph_, file_, offset_, pt_, name);
}

StoredPt::Tensor StoredPt::tensor() {
  const torch_file::Tensor tensor = torch_file::require_tensor(pt_.values, pt_.root, pt_.name);
  const std::uint64_t begin =
      pt_.extent(tensor.storage).offset + tensor.offset * item_size(tensor.dtype);
  if (tensor.count() > 0) touched_.insert(pt_.home(tensor.storage));
  return {graph_.add_extent(file_, offset_ + begin, tensor.dtype, tensor.shape, tensor.strides),
          tensor.dtype, tensor.shape};
}

void StoredPt::add_object(const std::string& name, torch_file::ValueId value) {
  std::vector<ckb_node> storages;
  torch_file::rename_storages(pt_.values, value, [&](const torch_file::Storage& storage) {
    const plugin::Shape shape{static_cast<std::int64_t>(storage.count)};
    storages.push_back(graph_.add_extent(file_, offset_ + pt_.extent(storage).offset,
                                         storage.dtype.value_or(kUInt8), shape));
    if (storage.count > 0) touched_.insert(pt_.home(storage));
    return std::to_string(storages.size() - 1);
  });
  graph_.add_object(name, "pickle", torch_file::pickle(pt_.values, value), storages);
}

void StoredPt::drop_rest() {
  for (const auto& [key, storage] : pt_.storages) {
    if (storage.size == 0) continue;
    const std::uint64_t begin = offset_ + storage.offset;
    if (touched_.contains(key)) {
      graph_.drop_untouched(file_, begin, storage.size,
                            "bytes of storages that no tensor shows (padding, tails of views)");
      continue;
    }
    graph_.drop_bytes(file_, begin, storage.size, "storages that no tensor shows");
  }
}

}  // namespace ckptbridge::nemo2
