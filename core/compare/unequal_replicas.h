// What users are told of values that should be equal and are not.
#pragma once

#include <string>
#include <vector>

#include "core/compare/expectations.h"
#include "core/conversion.h"

namespace ckptbridge {

// Throws CORRUPT for differences that fail the run: whose expectation it is, how many values
// differ, the first one, and what can be done. With Settings::explain all of them, each with
// statistics where a plugin can compute them. Gives warnings for those that do not: one for each
// that only warns, and one for all whose values are left out of the output anyway.
std::vector<std::string> require_equal(const Conversion& run,
                                       const std::vector<Difference>& differences);

}  // namespace ckptbridge
