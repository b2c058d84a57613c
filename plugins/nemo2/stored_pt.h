// A .pt of a checkpoint, a file of its own or an item of a data file, as values of a graph.
//
// Items are many and tiny: of each, its first and its last 4 KiB are read once, and nearly always
// nothing else.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "ckptbridge/plugin.hpp"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge::nemo2 {

class StoredPt {
 public:
  // The .pt at [offset, offset + size) of file; name opens the message of each error. Declares its
  // storages. Throws CORRUPT where it does not lie in the file.
  StoredPt(plugin::Graph& graph, ckb_file file, std::uint64_t offset, std::uint64_t size,
           const std::string& name);

  const torch_file::Values& values() const { return pt_.values; }
  torch_file::ValueId root() const { return pt_.root; }

  struct Tensor {
    ckb_node value;
    Dtype dtype;
    plugin::Shape shape;
  };
  // The root as a tensor. Throws CORRUPT where it is none.
  Tensor tensor();

  // A value as an object of the graph. Only once: it renames storages.
  void add_object(const std::string& name, torch_file::ValueId value);

  // Storages, and parts of them, that neither showed.
  void drop_rest();

 private:
  plugin::Graph& graph_;
  const ckb_file file_;
  const std::uint64_t offset_;
  torch_file::TorchFile pt_;
  std::set<std::string> touched_;  // keys of storages
};

}  // namespace ckptbridge::nemo2
