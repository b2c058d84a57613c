// Where each tensor of an output comes from, for --report.
#pragma once

#include "cli/report/report.h"
#include "core/text/json.h"

namespace ckptbridge::cli {

// For each tensor and rank that was written: name, type, shape, the ranges of input files that it
// was made of, what was done with them, and the digest of the whole tensor where there are digests.
Json tensors_json(const Report& report);

}  // namespace ckptbridge::cli
