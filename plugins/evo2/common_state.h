// The objects of a NeMo2 checkpoint that no tensor of the source holds: weights/common.pt and the
// extra states of Transformer Engine's modules.
#pragma once

#include <filesystem>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "plugins/evo2/names.h"
#include "plugins/torch_file/value.h"

namespace ckptbridge::evo2 {

// A pickle, and the bytes of its storages "0", "1", … in order.
struct StateObject {
  struct Storage {
    Dtype dtype;
    torch_file::Bytes data;
  };
  torch_file::Bytes pickle;
  std::vector<Storage> storages;
};

// What common.pt holds, from folder/shared/nemo2_common.json: JSON, in which
// {"$tensor": {"dtype", "shape", "values"}} is a tensor of numbers, or of "inf" and "nan". Throws
// Error where the file is missing or damaged.
StateObject common_state(const std::filesystem::path& folder);

// A tensor of no bytes (uint8), or None.
StateObject extra_state(ObjectValue value);

}  // namespace ckptbridge::evo2
