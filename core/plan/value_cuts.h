// Cuts values where their sources change.
#pragma once

#include <cstdint>
#include <functional>

#include "core/graph/nodes.h"
#include "core/plan/file_groups.h"

namespace ckptbridge {

// Bytes [begin, begin + size) of a value, and which bytes [source_begin, source_end) of `file` they
// come from. Where they come from several files, `file` is the one with the first element. Where
// they lie all over the file, source_begin equals source_end. A constant comes from no file: `file`
// is 0.
struct Cut {
  std::uint64_t begin;
  std::uint64_t size;
  ckb_file file;
  std::uint64_t source_begin;
  std::uint64_t source_end;
};

// Calls emit with all bytes of value, in order, in parts of whole elements and of at most `most`
// bytes (1 MiB, say). Rows that several sources share make one part. Sources that follow each other
// make a part each. Where a value takes only some columns of each source row, as when a tensor is
// split along its columns, a part spans as many rows as `most` bytes of the source have: the parts
// of the other ranks are then cut at the same rows. Tells groups which files are read together.
void cut(const Nodes& nodes, ckb_node value, std::uint64_t most,
         const std::function<void(const Cut&)>& emit, FileGroups& groups);

}  // namespace ckptbridge
