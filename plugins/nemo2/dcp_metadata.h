// The .metadata file of a torch.distributed.checkpoint (DCP) folder.
//
// One pickle of torch.distributed.checkpoint.metadata.Metadata:
//   state_dict_metadata   key -> TensorStorageMetadata {properties, size, chunks}
//                              | BytesStorageMetadata
//   planner_data          None
//   storage_data          MetadataIndex {fqn, index, offset} -> _StorageInfo {relative_path,
//   offset,
//                         length}: where each chunk's .pt lies
// Class paths are those of torch 2.3 and later. Only torch's classes are named, so that the file
// loads where Megatron is not installed. Source: torch/distributed/checkpoint/metadata.py and
// filesystem.py of 2.3 to 2.13; fields that loaders of megatron-core 0.12 to 0.19 were run without
// are left out.
#pragma once

#include <cstdint>
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
  Dtype dtype;
  std::vector<std::int64_t> global_shape;
  std::vector<StoredChunk> chunks;
};

struct StoredObject {
  std::string key;  // "…_extra_state/shard_0_1"
  StoredItem item;
};

// The file's bytes; protocol 2. UNSUPPORTED for a dtype that torch has no name for.
torch_file::Bytes dcp_metadata(const std::vector<StoredTensor>& tensors,
                               const std::vector<StoredObject>& objects);

}  // namespace ckptbridge::nemo2
