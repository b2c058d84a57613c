// A .pt file of a checkpoint on its way into the graph: its storages are declared, and what of it
// is neither a tensor nor an object of the graph is dropped at the end.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ckptbridge/plugin.hpp"
#include "plugins/deepspeed/pieces.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge::deepspeed {

class StateFile {
 public:
  // Opens and reads it, and declares all of its storages; out must outlive this. Throws CORRUPT,
  // UNSUPPORTED, or NOT_FOUND where the last piece is missing.
  StateFile(plugin::Graph& out, const LogicalFile& file);

  const std::string& name() const { return source_.name(); }
  const torch_file::Values& values() const { return pt_.values; }
  torch_file::ValueId root() const { return pt_.root; }

  // The same view of the same storage is the same node: the tensors are tied.
  ckb_node extent(const torch_file::Tensor& tensor);
  // An item as an object: a pickle of its own, whose storages are numbered from 0.
  void add_object(const std::string& name, torch_file::ValueId value, int mp_rank);

  // The tensors below a value were left out for this reason; the rest of them still counts.
  void leave_out(torch_file::ValueId value, const std::string& reason);
  // Drops what no extent so far shows: whole storages for the reason given, and the bytes of other
  // storages outside every view, as torch.save writes whole storages.
  void drop_rest(const std::string& reason);

 private:
  void drop_storage(const std::string& key, const std::string& reason);

  plugin::Graph& out_;
  const ckb_file file_;
  const torch_file::HostSource source_;
  const torch_file::TorchFile pt_;
  std::map<std::tuple<std::string, std::uint64_t, std::vector<std::int64_t>,
                      std::vector<std::int64_t>, std::tuple<int, int>>,
           ckb_node>
      extents_;
  std::set<std::string> touched_;  // keys of storages of which some extent shows something
};

}  // namespace ckptbridge::deepspeed
