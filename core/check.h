// Expectations: values that must hold the same bytes, compared before the first byte is written.
#pragma once

#include <string>
#include <vector>

#include "core/graph.h"
#include "core/plan.h"
#include "core/workers.h"

namespace ckptbridge {

// Compares all pairs that graphs of this run expected to be equal, byte for byte, and reports all
// differences at once: what it is, how many elements differ, and the first one with both values.
// Gives a line for each difference that only warns; Error CORRUPT with a line for each other one,
// unless there is none.
std::vector<std::string> check_expectations(const Arena& arena, const Plan& plan,
                                            const Feedback& feedback);

}  // namespace ckptbridge
