// What went wrong, on standard error: a line for people, or with --json an object for programs.
#pragma once

#include "ckptbridge/error.hpp"
#include "cli/verbs/verb_table.h"

namespace ckptbridge::cli {

// Whether --json stands among the arguments. Looked for before they are parsed: what is wrong with
// them is told as JSON, too.
bool wants_json(const Arguments& arguments);

// Prints the failure and returns the exit code. README.md beside this file has the members.
int report_failure(const Error& error, bool json);

// The same where there is no memory to say more.
int report_out_of_memory(bool json);

}  // namespace ckptbridge::cli
