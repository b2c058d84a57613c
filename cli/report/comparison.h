// What `verify`, `diff` and `convert --verify` found, as text and as JSON.
#pragma once

#include <string>

#include "core/compare/compare_checkpoints.h"
#include "core/text/json.h"

namespace ckptbridge::cli {

// A line for each difference, and one that sums up: "equal: 73 tensors, 1.2 MiB".
std::string comparison_text(const Comparison& comparison, bool verbose);

Json comparison_json(const Comparison& comparison);

// 0, or kDifferencesFound.
int exit_code(const Comparison& comparison);

}  // namespace ckptbridge::cli
