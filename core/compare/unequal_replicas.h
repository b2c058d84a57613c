// What users are told of values that should be equal and are not.
#pragma once

#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "core/compare/expectations.h"

namespace ckptbridge {

// Throws CORRUPT for pairs that fail the run: whose expectation it is, how many values differ, the
// first one, and what can be done. With explain all of them, each with statistics where a plugin
// can compute them. Returns warnings for pairs that do not fail the run: one for each pair that
// only warns, and one for all pairs whose values the output does not hold.
std::vector<std::string> require_equal(const Checkpoint& source,
                                       const std::vector<UnequalPair>& pairs,
                                       const Buffers& buffers, const Feedback& feedback,
                                       bool explain);

}  // namespace ckptbridge
