#include "core/graph/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/graph/byte_runs.h"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kMaxObject = std::size_t{64} << 20;

// Printable UTF-8 of at most so many bytes: names become keys, JSON and lines of messages.
void require_name(const std::string& name, const char* what, std::size_t most = kMaxName) {
  bool is_text = !name.empty() && name.size() <= most;
  for (std::size_t i = 0; is_text && i < name.size();) {
    const std::size_t size = utf8_size(std::string_view(name).substr(i));
    is_text = size > 0;
    i += size;
  }
  if (!is_text) {
    throw Error(CKB_CORRUPT, fmt::format("{} name of {} bytes is empty, longer than {} bytes or no "
                                         "UTF-8",
                                         what, name.size(), most));
  }
  if (printable(name) != name) {
    throw Error(CKB_CORRUPT,
                fmt::format("{} name \"{}\" has control characters", what, printable(name)));
  }
}

// Unique among tensors and objects together; '\0' cannot be in a name.
std::string identity(const std::string& kind, const std::string& name, std::int32_t mp_rank) {
  return kind + '\0' + name + '\0' + std::to_string(mp_rank);
}

}  // namespace

void Arena::require_sound_sources() const {
  checksums.finish(sources);
  sources.require_unchanged();
}

void Graph::add_storage(ckb_file file, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t end = arena_->sources.size(file);
  if (offset > end || size > end - offset) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} bytes of tensor data at {} end behind the file's "
                            "{} bytes; the file is truncated or damaged",
                            arena_->sources.name(file), size, offset, end),
                {.file = arena_->sources.name(file)});
  }
  arena_->storages.add(file, offset, size, arena_->sources.name(file));
}

void Graph::expect_crc32(ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc,
                         const std::string& what) {
  require_name(what, "storage", 2 * kMaxName);  // a tensor's name may be a part of it
  const auto storage = arena_->storages.find(file, offset, size);
  if (size > 0 && (storage == arena_->storages.all().end() || storage->first.second != offset ||
                   storage->second.size != size)) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: {}: no tensor data was declared at [{}, {})",
                            arena_->sources.name(file), what, offset, offset + size));
  }
  arena_->checksums.expect(file, offset, size, crc, what);
}

ckb_node Graph::add_extent(ckb_file file, std::uint64_t offset, Dtype dtype,
                           std::span<const std::int64_t> shape,
                           std::span<const std::int64_t> strides) {
  const std::string& name = arena_->sources.name(file);
  std::uint64_t elements = checked_count(shape, dtype, name);
  if (!strides.empty()) elements = strided_span(shape, strides, name);
  std::uint64_t bytes = 0;
  const bool fits = !__builtin_mul_overflow(elements, item_size(dtype), &bytes);
  auto storage = arena_->storages.all().end();
  if (fits && bytes > 0) storage = arena_->storages.find(file, offset, bytes);
  if (!fits || (bytes > 0 && storage == arena_->storages.all().end())) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} of {} at byte {} does not lie inside declared tensor data",
                            name, shape_text(shape), dtype_name(dtype), offset),
                {.file = name});
  }
  const ckb_node node = arena_->nodes.add_extent(file, offset, dtype, shape, strides);
  if (bytes > 0) storage->second.extents.push_back(node);
  return node;
}

void Graph::add_tensor(Tensor tensor) {
  require_name(tensor.name, "tensor");
  require_name(tensor.role, "role");
  arena_->nodes.require(tensor.value);
  if (tensor.mp_rank < 0 || tensor.mp_world_size < 1 || tensor.mp_rank >= tensor.mp_world_size) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: model-parallel rank {} of {}", tensor.name, tensor.mp_rank,
                            tensor.mp_world_size),
                {.tensor = tensor.name});
  }
  const auto shape = arena_->nodes.shape(tensor.value);
  const auto ndim = static_cast<std::int32_t>(shape.size());
  if (tensor.partition_dim < CKB_PARTITION_UNKNOWN || tensor.partition_dim >= ndim) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: partition dim {} of {} dimensions", tensor.name,
                            tensor.partition_dim, ndim),
                {.tensor = tensor.name});
  }
  if (!names_.insert(identity(tensor.role, tensor.name, tensor.mp_rank)).second) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: the {} is there twice on model-parallel rank {}", tensor.name,
                            tensor.role, tensor.mp_rank),
                {.tensor = tensor.name});
  }
  tensor.position = next_position_++;
  tensor.shape.assign(shape.begin(), shape.end());
  tensors_.push_back(std::move(tensor));
}

void Graph::add_object(Object object) {
  require_name(object.name, "object");
  if (object.kind != "json" && object.kind != "pickle" && object.kind != "bytes") {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: an object is json, pickle or bytes, not {}",
                                                  object.name, object.kind));
  }
  if (object.data.size() > kMaxObject) {
    throw Error(CKB_UNSUPPORTED, fmt::format("{}: an object of {} bytes, at most {}", object.name,
                                             object.data.size(), kMaxObject));
  }
  for (const ckb_node storage : object.storages) {
    arena_->nodes.require(storage);
    if (arena_->nodes.shape(storage).size() != 1) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("{}: a storage of an object has one dimension", object.name));
    }
  }
  if (!names_.insert(identity("object", object.name, object.mp_rank)).second) {
    throw Error(CKB_CORRUPT, fmt::format("{}: the object is there twice on model-parallel rank {}",
                                         object.name, object.mp_rank));
  }
  object.position = next_position_++;
  objects_.push_back(std::move(object));
}

void Graph::set_property(const std::string& key, const std::string& value) {
  require_name(key, "property");
  properties_[key] = value;
}

void Graph::drop(ckb_node value, const std::string& reason) {
  arena_->nodes.require(value);
  require_name(reason, "reason");
  arena_->drops.push_back({value, reason});
}

void Graph::drop_object(const std::string& name, const std::string& reason) {
  require_name(reason, "reason");
  arena_->object_drops.push_back({name, reason});
}

void Graph::drop_untouched(ckb_file file, std::uint64_t offset, std::uint64_t size,
                           const std::string& reason) {
  require_name(reason, "reason");
  if (size == 0) return;
  const auto storage = arena_->storages.find(file, offset, size);
  if (storage == arena_->storages.all().end()) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: no tensor data was declared at [{}, {})",
                            arena_->sources.name(file), offset, offset + size),
                {.file = arena_->sources.name(file)});
  }
  std::vector<Interval> touched;
  for (const ckb_node extent : storage->second.extents) {
    const auto bytes = touched_bytes(arena_->nodes, extent);
    touched.insert(touched.end(), bytes.begin(), bytes.end());
  }
  if (touched.empty()) {
    throw Error(CKB_INTERNAL,
                fmt::format("{}: no tensor touches the {} bytes of tensor data at {}",
                            arena_->sources.name(file), size, offset),
                {.file = arena_->sources.name(file)});
  }
  auto untouched = complement(united(std::move(touched)), offset, offset + size);
  if (!untouched.empty()) {
    arena_->untouched_drops.push_back({file, std::move(untouched), reason});
  }
}

void Graph::expect_equal(ckb_node kept, ckb_node other, const std::string& what, bool warn_only) {
  const Nodes& nodes = arena_->nodes;
  nodes.require(kept);
  nodes.require(other);
  require_name(what, "expectation");
  if (!std::ranges::equal(nodes.shape(kept), nodes.shape(other)) ||
      nodes.dtype(kept) != nodes.dtype(other)) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} of {} cannot equal {} of {}", what,
                            shape_text(nodes.shape(other)), dtype_name(nodes.dtype(other)),
                            shape_text(nodes.shape(kept)), dtype_name(nodes.dtype(kept))));
  }
  arena_->expectations.push_back({kept, other, what, warn_only});
}

void require_objects_kept(const Graph& before, const Graph& after, const std::string& plugin) {
  std::set<std::string> accounted;
  for (const Object& object : after.objects()) accounted.insert(object.name);
  for (const ObjectDrop& drop : after.arena().object_drops) accounted.insert(drop.name);
  for (const Object& object : before.objects()) {
    if (!accounted.contains(object.name)) {
      throw Error(CKB_INTERNAL, fmt::format("{}: the object {} was neither kept nor dropped with a "
                                            "reason",
                                            plugin, object.name));
    }
  }
}

}  // namespace ckptbridge
