// What a NeMo2 checkpoint holds beside its weights; the same for torch_dist and zarr.
//
//   context/io.json, model.yaml   the model's configuration
//   weights/metadata.json         which backend wrote the weights: loaders look here first
//   weights/common.pt             state that is not sharded
// Source: nemo/lightning/io and megatron/core/dist_checkpointing of NeMo 2.6 and megatron-core
// 0.15.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/plugin.hpp"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge::nemo2 {

// Names of objects in a graph.
inline constexpr char kContextJson[] = "context/io.json";
inline constexpr char kCommon[] = "common";  // the content of common.pt

// Megatron stores an object that is sharded under "KEY/shard_OFFSET_SHAPE". In a graph, an extra
// state that is the only shard of one has the name KEY, others that whole key.
bool is_sharded_key(std::string_view key);
std::string object_name(std::string_view key);
// The inverse; nullopt for an object that is not sharded.
std::optional<std::string> object_key(std::string_view name);

// The tensors of a graph in the order of their names.
std::vector<plugin::TensorView> tensors_by_name(const plugin::ConstGraph& graph);

// Throws UNSUPPORTED for a tensor that loaders would not take for a whole weight: one rank's part,
// and optimizer state, by its role or by its name.
void require_weight(const plugin::TensorView& tensor);

// Returns an object of a graph as a .pt: of the object itself, or of a list with it alone. The
// payloads of the .pt are the object's storages.
torch_file::ZipLayout object_file(const plugin::ObjectView& object, bool in_list);

// Writes context/… and weights/common.pt, weights/metadata.json from the graph's objects. What it
// has no place for is dropped with a reason. Returns the sharded objects, which are the writer's.
std::vector<plugin::ObjectView> put_context(plugin::Graph& graph, plugin::Layout& out,
                                            const std::string& backend);

// A whole file of these bytes.
void put_file(plugin::Layout& out, const std::string& path, std::span<const std::byte> bytes);

}  // namespace ckptbridge::nemo2
