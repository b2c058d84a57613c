#include "cli/conversion.h"

#include <charconv>
#include <chrono>
#include <unistd.h>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/console.h"
#include "cli/report.h"
#include "cli/setup.h"
#include "cli/signals.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/words.h"

namespace ckptbridge::cli {
namespace {

unsigned parse_threads(const std::string& text) {
  constexpr unsigned kMost = 1024;
  if (text.empty()) return default_threads();
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number == 0 || number > kMost) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("--threads: \"{}\" is no number from 1 to {}", text, kMost));
  }
  return number;
}

Settings settings_of(const CommonOptions& options, Console& console) {
  Settings settings;
  settings.limits.threads = parse_threads(options.threads);
  if (!options.memory.empty()) settings.limits.memory = parse_size(options.memory, "--memory");
  if (!options.checkpoint.empty()) {
    settings.checkpoint = parse_size(options.checkpoint, "--checkpoint");
  }
  settings.overwrite = options.overwrite;
  settings.resume = options.resume;
  settings.sync = !options.no_sync;
  settings.explain = options.verbose;
  settings.feedback = console.feedback();
  settings.log = console.log();
  return settings;
}

}  // namespace

void declare_common_options(CommandLine& line, CommonOptions& options) {
  line.heading("Common options");
  line.flag("--dry-run", options.dry_run, "Say what would be done, as `ckptbridge plan` does");
  line.flag("--overwrite", options.overwrite, "Replace an earlier output of the same kind");
  line.flag("--resume", options.resume, "Go on where an interrupted run of this command stopped");
  line.option("--checkpoint", "SIZE", options.checkpoint,
              "What is lost at most when a run is killed [1GiB]");
  line.option("--threads", "N", options.threads, "Threads that move bytes [as many as cores, 16]");
  line.option("--memory", "SIZE", options.memory, "Bound of the buffers for tensor data [128MiB]");
  line.flag("--sync", options.sync, "Bring the output to the disk before it appears (default)");
  line.flag("--no-sync,--no-fsync", options.no_sync, "Leave that to the system: faster");
  line.option("--progress", "auto|json|none", options.progress, "Progress on standard error");
  line.flag("--json", options.json, "Print the result as JSON");
  line.flag("-v,--verbose", options.verbose, "Print more: notes, whole lists");
  declare_plugin_dir(line);
}

int perform(const Registry& registry, const Request& request, const CommonOptions& options) {
  if (options.sync && options.no_sync) {
    throw Error(CKB_INVALID_ARGUMENT, "--sync and --no-sync exclude each other");
  }
  const auto begin = std::chrono::steady_clock::now();
  Console console(parse_progress(options.progress, isatty(STDERR_FILENO) != 0), options.verbose);
  watch_signals();
  Conversion conversion(registry, request, settings_of(options, console));
  prepare(conversion);
  if (!options.dry_run) convert(conversion);

  Report report{conversion, make_ledger(conversion.target, conversion.coverage, request.input)};
  report.done = !options.dry_run;
  report.whole_lists = options.verbose || options.dry_run;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{}", options.json ? report_json(report) : report_text(report));
  return 0;
}

}  // namespace ckptbridge::cli
