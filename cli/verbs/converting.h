// What all converting verbs share: their common options, and doing or planning the work.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/command_line.h"
#include "cli/terminal/console.h"
#include "core/conversion.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge::cli {

// The common options as typed.
struct CommonOptions {
  std::string threads;
  std::string memory;
  std::string progress = "auto";
  std::string checkpoint;
  bool overwrite = false;
  bool resume = false;
  bool sync = false;  // the default, for symmetry
  bool no_sync = false;
  bool dry_run = false;
  bool json = false;
  bool verbose = false;
  bool verify = false;
  bool ignore_checksums = false;
  std::string manifest;  // files to write
  std::string report;
  std::string html;
  std::vector<std::string> tensors;  // whose pieces are told, by name
};

void declare_common_options(CommandLine& line, CommonOptions& options);

// Those of them that verbs take which write nothing.
void declare_reading_options(CommandLine& line, CommonOptions& options);

// The settings that they stand for. Throws INVALID_ARGUMENT. The console must outlive them.
Settings settings_of(const CommonOptions& options, Console& console);

// Converts, or with dry_run plans, and prints the result; verifies it and writes manifest and
// report where asked for. Returns the exit code.
int perform(const Registry& registry, const Request& request, const CommonOptions& options);

}  // namespace ckptbridge::cli
