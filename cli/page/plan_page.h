// A plan as a page for a browser: the flow as a picture, what is lost and why, dtypes, files, and
// the tensors by layer.
#pragma once

#include <string>

#include "cli/report/report.h"

namespace ckptbridge::cli {

// all: the trace of every tensor.
std::string plan_page(const Report& report, const Trace& all);

}  // namespace ckptbridge::cli
