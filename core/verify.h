// Whether an output holds what its source says: read back through a reader, which shares no code
// with the writer that made it.
#pragma once

#include <string>
#include <vector>

#include "core/compare/compare_checkpoints.h"
#include "core/compare/digest_list.h"
#include "core/conversion.h"

namespace ckptbridge {

// Reads the output of the conversion that wanted describes (which may be one of an earlier day) and
// derives each tensor from the source anew: reader and transforms as wanted says, no writer.
// Compares both rank by rank, under the writer's names. With an empty `to`, the output's own format
// is taken. UNSUPPORTED where no reader knows it, whatever format its own is.
Comparison verify_against_source(const Registry& registry, Request wanted,
                                 const ReadSettings& settings);

// Compares the digests of a checkpoint's logical tensors with those of a list. Replicas that differ
// among ranks count as differences.
Comparison verify_against_digests(const Registry& registry, const Input& input,
                                  const ReadSettings& settings, const DigestList& expected);

}  // namespace ckptbridge
