// Files of a checkpoint with a field changed. Where an edit sets a key again, the later value is
// the one that counts, as for Python.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "plugins/torch_file/value.h"

namespace ckptbridge::errors {

// A pickle that is being changed.
struct Edited {
  torch_file::Values& values;
  torch_file::ValueId root;
  std::vector<std::uint64_t> sizes = {};  // of the storages of a .pt, in bytes

  // The value at these keys below the root.
  torch_file::ValueId at(const std::vector<std::string>& keys) const;
  void set(torch_file::ValueId dict, const std::string& key, torch_file::ValueId value) const;
  // A field of an object of a class.
  torch_file::ValueId field(torch_file::ValueId object, const std::string& name) const;
  void set_field(torch_file::ValueId object, const std::string& name,
                 torch_file::ValueId value) const;
  // Of a storage of its own; in a .pt only.
  torch_file::ValueId tensor(Dtype dtype, const std::vector<std::int64_t>& shape);
};

using Edit = std::function<void(Edited&)>;

// A .pt whose storages are numbered from 0 on; its tensors become zeros.
void edit_pt(const std::string& path, const Edit& edit);
// A file that is a pickle.
void edit_pickle(const std::string& path, const Edit& edit);

}  // namespace ckptbridge::errors
