// The end of a conversion, for people: what was made, how fast, and what to type next.
#pragma once

#include <string>

#include "cli/report/report.h"

namespace ckptbridge::cli {

// Of a conversion that is done.
std::string summary_text(const Report& report);

// The command that verifies it, where it was not verified.
std::string next_text(const Report& report);

// The most memory that this process has had so far, in bytes.
std::uint64_t peak_memory();

}  // namespace ckptbridge::cli
