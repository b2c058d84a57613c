// Whether a folder holds what a conversion would make.
#pragma once

#include <boost/filesystem/path.hpp>

#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// Every file of the layout is in the folder, byte for byte, and, unless it is `shared` with others,
// nothing else is. Names and sizes are looked at first, and reading stops at the first difference.
bool holds_output(const Arena& arena, const Layout& layout, const Plan& plan,
                  const boost::filesystem::path& folder, bool shared, const Feedback& feedback);

}  // namespace ckptbridge
