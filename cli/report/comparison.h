// What `verify`, `diff` and `convert --verify` found, as text and as JSON.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/compare/compare_checkpoints.h"

namespace ckptbridge::cli {

// A line for each difference, and one that sums up: "equal: 73 tensors, 1.2 MiB".
std::string comparison_text(const Comparison& comparison, bool verbose);

nlohmann::ordered_json comparison_json(const Comparison& comparison);

// 0, or kDifferencesFound.
int exit_code(const Comparison& comparison);

}  // namespace ckptbridge::cli
