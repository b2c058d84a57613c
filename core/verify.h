// Whether an output holds what its source says: read back through a reader, which shares no code
// with the writer that made it.
#pragma once

#include "core/compare/compare_checkpoints.h"
#include "core/compare/digest_list.h"
#include "core/conversion.h"

namespace ckptbridge {

// Reads the output of the conversion that wanted describes (which may be one of an earlier day),
// and derives each tensor from the source anew: reader and transforms as wanted says, no writer.
// Compares both rank by rank, under the writer's names. With an empty `to`, the target format is
// that of the reader that takes the output. Throws UNSUPPORTED where no reader takes the output.
Comparison verify_against_source(const Registry& registry, Request wanted,
                                 const ReadSettings& settings);

// Compares the digests of a checkpoint's logical tensors with those of a list. Replicas that differ
// among ranks count as differences.
Comparison verify_against_digests(const Registry& registry, const Input& input,
                                  const ReadSettings& settings, const DigestList& expected);

}  // namespace ckptbridge
