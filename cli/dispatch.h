// From the first word of a command line to its verb.
#pragma once

#include <string>

#include "cli/verbs/verb_table.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge::cli {

// Returns what --help prints.
std::string overview(const Registry& registry);

// Runs a whole command line, without the program's name.
int dispatch(const Arguments& arguments);

}  // namespace ckptbridge::cli
