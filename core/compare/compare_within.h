// Two lists of tensors that need not be equal to the bit: how far apart their values are.
#pragma once

#include <vector>

#include "core/compare/compare_checkpoints.h"
#include "core/plugin_host/compute_plugin.h"

namespace ckptbridge {

// As compare_tensors(), but by value: types may differ, and what is within the tolerance of the
// expected values is no difference. Of each tensor of which anything differs, the result has
// numbers. Reads block by block. Of types that the plugin cannot compute with, bytes must be equal.
Comparison compare_within(const Arena& expected_arena, const std::vector<LogicalTensor>& expected,
                          const Arena& found_arena, const std::vector<LogicalTensor>& found,
                          const Compute& compute, Tolerance tolerance, const Buffers& buffers,
                          const Feedback& feedback);

}  // namespace ckptbridge
