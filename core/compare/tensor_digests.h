// Digests of logical tensors: XXH3-128 over the canonical bytes, so that a tensor has the same
// digest in every format, layout and number of ranks.
//
// Canonical bytes are the elements of the whole tensor in row-major order, little-endian, without
// anything between or around them: what numpy's tobytes() returns. A digest is written as 32
// hexadecimal digits, most significant first, as `xxhsum -H128` prints it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/execute/workers.h"
#include "core/graph/logical_tensors.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

// Of each tensor, in their order. A tensor's bytes are hashed one after the other by one thread
// (XXH3 has no way to join parts), different tensors in parallel, the largest first. One thread
// hashes faster than disks deliver, so that only a checkpoint of few, huge tensors in the page
// cache would gain from more.
std::vector<std::string> digests_of(const Arena& arena, std::span<const LogicalTensor> tensors,
                                    const Buffers& buffers, const Feedback& feedback);

// Returns the digest of a whole file. Throws NOT_FOUND or IO.
std::string digest_of_file(const boost::filesystem::path& path);

}  // namespace ckptbridge
