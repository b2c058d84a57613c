// Cuts values where their sources change.
#pragma once

#include <cstdint>
#include <functional>

#include "core/graph/nodes.h"
#include "core/plan/file_groups.h"

namespace ckptbridge {

// Bytes [begin, begin + size) of a value, and the range of a source that it reads: of several, the
// one that its first element is in. The range is empty where the bytes lie all over the source;
// file 0: they come from none.
struct Cut {
  std::uint64_t begin;
  std::uint64_t size;
  ckb_file file;
  std::uint64_t source_begin;
  std::uint64_t source_end;
};

// Gives all bytes of value, in order, in parts of at most `most` bytes and of whole elements. Rows
// that several sources share make one part; what lies apart makes several. Where only a part of
// each source row is wanted, as when a tensor is split along its columns, the part spans as many
// rows as `most` bytes of the source are: the other ranks' parts are cut at the same rows. Tells
// groups which files are read together.
void cut(const Nodes& nodes, ckb_node value, std::uint64_t most,
         const std::function<void(const Cut&)>& emit, FileGroups& groups);

}  // namespace ckptbridge
