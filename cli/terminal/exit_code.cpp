#include "cli/terminal/exit_code.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ckptbridge::cli {
namespace {

constexpr auto kExitCodes = std::to_array<ExitCode>({
    {0, "done", "Done"},
    {1, "a bug", "A bug"},
    {2, "usage", "Usage"},
    {3, "input invalid, incomplete or unsupported",
     "Input invalid, incomplete, mismatching or unsupported"},
    {kDifferencesFound, "differences found", "A difference was found"},
    {5, "output exists", "The output exists"},
    {6, "no space or I/O error", "No space, or an I/O error"},
    {7, "memory bound impossible", "The memory bound is impossible"},
    {75, "interrupted", "Interrupted"},
});

constexpr auto kFailures = std::to_array<Failure>({
    {CKB_INVALID_ARGUMENT, "invalid_argument", 2},
    {CKB_NOT_FOUND, "not_found", 3},
    {CKB_CORRUPT, "corrupt", 3},
    {CKB_UNSUPPORTED, "unsupported", 3},
    {CKB_EXISTS, "exists", 5},
    {CKB_IO, "io", 6},
    {CKB_MEMORY, "memory", 7},
    {CKB_CANCELLED, "cancelled", 75},
    {CKB_INTERNAL, "internal", 1},
});

const Failure& failure_of(ckb_status status) {
  const auto* found = std::find_if(kFailures.begin(), kFailures.end() - 1,
                                   [&](const Failure& row) { return row.status == status; });
  return *found;  // the last row stands for all others
}

}  // namespace

std::span<const ExitCode> exit_codes() { return kExitCodes; }

std::string exit_codes_text() {
  std::string text;
  for (const ExitCode& row : kExitCodes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", row.code, row.phrase);
  }
  return text;
}

std::span<const Failure> failures() { return kFailures; }

int exit_code(ckb_status status) { return status == CKB_OK ? 0 : failure_of(status).code; }

const char* status_word(ckb_status status) { return failure_of(status).word; }

}  // namespace ckptbridge::cli
