// The digests of a checkpoint's tensors as a JSON file, by which it can be verified later, without
// its source and in whatever format or number of ranks it is then.
//
//   {"ckptbridge_digests": 1,          version of this format
//    "written_by": "0.1.0",
//    "digest": "xxh3-128",             digest.h says of which bytes
//    "names": "megatron",              whose names of tensors these are; "" where nobody says
//    "tensors": [{"name": "…", "role": "param", "dtype": "bfloat16", "shape": [2, 3],
//                 "digest": "0123456789abcdef0123456789abcdef"}]}
//
// Tensors are sorted by name, then role. One that nobody knows how to join has an entry for each
// shard, with "mp_rank" and "mp_world_size".
#pragma once

#include <string>
#include <vector>

#include "core/execute/workers.h"
#include "core/graph/logical_tensors.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

struct DigestEntry : TensorLook {
  std::string digest;
};

struct DigestList {
  std::string names;
  std::vector<DigestEntry> tensors;  // sorted
};

// Reads every byte of the tensors.
DigestList make_digest_list(const Graph& whole, const Buffers& buffers, const Feedback& feedback);

std::string digest_list_json(const DigestList& list, const std::string& version);
// Throws CORRUPT, with where in front.
DigestList parse_digest_list(const std::string& text, const std::string& where);

}  // namespace ckptbridge
