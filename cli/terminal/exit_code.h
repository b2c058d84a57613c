// What the shell is told.
#pragma once

#include "ckptbridge/plugin.h"

namespace ckptbridge::cli {

// 0 done, 1 failed inside (a bug), 2 usage, 3 input invalid, incomplete, mismatching or
// unsupported, 5 output exists, 6 no space or I/O error, 7 memory bound impossible, 75 interrupted.
// 4 is no failure: what was compared differs.
constexpr int kDifferencesFound = 4;
int exit_code(ckb_status status);

// The word for a failure in `--json`: "corrupt" for CKB_CORRUPT. Programs rely on it.
const char* status_word(ckb_status status);

}  // namespace ckptbridge::cli
