#include "plugins/deepspeed/state_file.h"

#include <fmt/format.h>

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::deepspeed {
namespace {

namespace tf = torch_file;
using plugin::Shape;

// Where a file ends too soon that is in pieces, the last of them is missing rather than cut.
tf::TorchFile read_pieces(const tf::ByteSource& source, const LogicalFile& file) {
  try {
    return about({.file = file.name}, [&] { return tf::read_torch_file(source); });
  } catch (const tf::CutShort& error) {
    if (file.pieces.back() == file.name) throw;  // whole
    throw error.retold(
        CKB_NOT_FOUND,
        fmt::format("{}; probably the last piece is missing: {} piece{} found, up to {}",
                    error.what(), file.pieces.size(), file.pieces.size() == 1 ? " was" : "s were",
                    file.pieces.back()));
  }
}

}  // namespace

StateFile::StateFile(plugin::Graph& out, const LogicalFile& file)
    : out_(out),
      file_(out.open_file(file.pieces)),
      source_(out, file_, file.name),
      pt_(read_pieces(source_, file)) {
  tf::warn_of_dangers(pt_.values, source_.name());
  tf::declare_storages(out_, file_, 0, pt_);
}

ckb_node StateFile::extent(const tf::Tensor& tensor) {
  const auto key = std::tuple(tensor.storage.key, tensor.offset, tensor.shape, tensor.strides,
                              std::tuple(tensor.dtype.code, tensor.dtype.bits));
  if (const auto it = extents_.find(key); it != extents_.end()) return it->second;
  const std::uint64_t item = item_size(tensor.dtype);
  const ckb_node node =
      out_.add_extent(file_, pt_.extent(tensor.storage).offset + tensor.offset * item, tensor.dtype,
                      tensor.shape, tensor.strides);
  if (tensor.count() > 0) touched_.insert(pt_.home(tensor.storage));
  return extents_[key] = node;
}

void StateFile::add_object(const std::string& name, tf::ValueId value, int mp_rank) {
  tf::Bytes text;
  try {
    text = tf::pickle(pt_.values, value);
  } catch (const Error& error) {
    throw error.retold(error.code(), fmt::format("{}: {}: {}", this->name(), name, error.what()));
  }
  bool has_storages = false;
  tf::for_each_reachable(pt_.values, value, [&](tf::ValueId id) {
    has_storages = has_storages || pt_.values.kind(id) == tf::Kind::kPersistentId;
  });
  // Nearly all have none, and need no copy of their own.
  if (!has_storages) return out_.add_object(name, "pickle", text, {}, mp_rank);
  std::vector<ckb_node> storages;
  tf::Values own;
  const tf::ValueId root = tf::unpickle(own, text, source_.name() + ": " + name).root;
  tf::rename_storages(own, root, [&](const tf::Storage& storage) {
    const Dtype dtype = storage.dtype.value_or(kUInt8);
    const Shape shape{static_cast<std::int64_t>(storage.count)};
    storages.push_back(out_.add_extent(file_, pt_.extent(storage).offset, dtype, shape));
    if (storage.count > 0) touched_.insert(pt_.home(storage));
    return std::to_string(storages.size() - 1);
  });
  text = tf::pickle(own, root);
  out_.add_object(name, "pickle", text, storages, mp_rank);
}

void StateFile::leave_out(tf::ValueId value, const std::string& reason) {
  for (const tf::Storage& storage : tf::storages_of(pt_.values, value, name())) {
    drop_storage(pt_.home(storage), reason);
  }
}

void StateFile::drop_rest(const std::string& reason) {
  const std::set<std::string> shown = touched_;
  for (const auto& [key, storage] : pt_.storages) {
    if (storage.size == 0) continue;
    if (shown.contains(key)) {
      out_.drop_untouched(file_, storage.offset, storage.size,
                          "bytes of storages that no tensor shows (padding, tails of views)");
    } else {
      drop_storage(key, reason);
    }
  }
}

void StateFile::drop_storage(const std::string& key, const std::string& reason) {
  const tf::StorageExtent& storage = pt_.storages.at(key);
  if (storage.size == 0 || !touched_.insert(key).second) return;
  out_.drop_bytes(file_, storage.offset, storage.size, reason);
}

}  // namespace ckptbridge::deepspeed
