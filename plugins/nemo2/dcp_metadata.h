// The .metadata file of a torch.distributed.checkpoint (DCP) folder.
//
// One pickle of torch.distributed.checkpoint.metadata.Metadata:
//   state_dict_metadata   key -> TensorStorageMetadata {properties, size, chunks}
//                              | BytesStorageMetadata
//   planner_data          None
//   storage_data          MetadataIndex {fqn, index, offset} -> _StorageInfo {relative_path,
//                         offset, length[, transform_descriptors]}: where each chunk's .pt lies
//   mcore_data            key -> {nd_reformulated_orig_global_shape: …} of flattened tensors
//   storage_meta, version, all_local_plans    not needed
// megatron-core 0.12 to 0.15 names its own subclass, MCoreMetadata, and puts its plans into it.
// TensorProperties was in another module up to torch 2.2. Written here are the class paths of torch
// 2.3 and later, and only torch's classes, so that the file loads where Megatron is not installed;
// fields that loaders of megatron-core 0.12 to 0.19 were run without are left out.
// Source: torch/distributed/checkpoint/metadata.py and filesystem.py of 2.1 to 2.13;
// megatron/core/dist_checkpointing/strategies/torch.py of 0.12 to 0.19.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::nemo2 {

// Where the .pt of one chunk or object lies.
struct StoredItem {
  std::string path;  // relative to the folder
  std::uint64_t offset;
  std::uint64_t size;  // bytes
};

struct StoredChunk {
  std::vector<std::int64_t> offsets;  // of its first element in the tensor
  std::vector<std::int64_t> sizes;
  StoredItem item;
};

struct StoredTensor {
  std::string key;
  Dtype dtype;  // all zero where .metadata does not say; an item's own counts
  std::vector<std::int64_t> global_shape;
  std::vector<StoredChunk> chunks;
};

struct StoredObject {
  std::string key;  // "…_extra_state/shard_0_1"
  StoredItem item;
};

struct DcpMetadata {
  std::vector<StoredTensor> tensors;  // in the order of the file
  std::vector<StoredObject> objects;
  // Keys of tensors that megatron-core up to 0.15 flattened: their chunks are pieces of flat local
  // blocks, not of the tensor.
  std::set<std::string> flattened;
  std::uint64_t unlisted = 0;  // items that no tensor or object names
};

// What a .metadata says; name opens the message of each error. Nothing in it is run, and classes
// are not looked for. Throws UNSUPPORTED for other objects and for items that are compressed;
// CORRUPT, naming the tensor, where an item of a chunk is missing or chunks are no boxes in their
// tensor. Whether they tile it is tiling.h's.
DcpMetadata read_dcp_metadata(std::span<const std::byte> pickle, const std::string& name);

// Returns the file's bytes, in protocol 2. Throws UNSUPPORTED for a dtype that torch has no name
// for.
torch_file::Bytes dcp_metadata(const std::vector<StoredTensor>& tensors,
                               const std::vector<StoredObject>& objects);

}  // namespace ckptbridge::nemo2
