// What the shell is told. The tables here are the only ones: each text about exit codes is made
// from them, or held against them by a test.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ckptbridge/plugin.h"

namespace ckptbridge::cli {

struct ExitCode {
  int code;
  std::string_view phrase;   // "output exists", in a list
  std::string_view meaning;  // "The output exists", alone
};
std::span<const ExitCode> exit_codes();

// "0 done, 1 a bug, 2 usage, …"
std::string exit_codes_text();

// One way to fail.
struct Failure {
  ckb_status status;
  const char* word;  // in `--json`: programs rely on it
  int code;
};
std::span<const Failure> failures();

// Of a status without a row, such as a later ABI's, the code and word are those of CKB_INTERNAL.
int exit_code(ckb_status status);
const char* status_word(ckb_status status);

// No failure: what was compared differs.
constexpr int kDifferencesFound = 4;

}  // namespace ckptbridge::cli
