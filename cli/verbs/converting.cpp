#include "cli/verbs/converting.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/page/plan_page.h"
#include "cli/report/comparison.h"
#include "cli/report/report.h"
#include "cli/terminal/console.h"
#include "cli/terminal/signals.h"
#include "cli/verbs/result_file.h"
#include "cli/verbs/setup.h"
#include "cli/version.h"
#include "core/compare/common_form.h"
#include "core/pipeline.h"
#include "core/plan/losses.h"
#include "core/text/quantities.h"
#include "core/verify.h"

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
                fmt::format("--threads: \"{}\" is not a number from 1 to {}", text, kMost));
  }
  return number;
}

}  // namespace

Settings settings_of(const CommonOptions& options, Console& console) {
  Settings settings;
  settings.reading.limits.threads = parse_threads(options.threads);
  if (!options.memory.empty())
    settings.reading.limits.memory = parse_size(options.memory, "--memory");
  if (!options.checkpoint.empty()) {
    settings.checkpoint = parse_size(options.checkpoint, "--checkpoint");
  }
  settings.overwrite = options.overwrite;
  settings.resume = options.resume;
  settings.sync = !options.no_sync;
  settings.explain = options.verbose;
  settings.reading.ignore_checksums = options.ignore_checksums;
  settings.reading.feedback = console.feedback();
  settings.reading.log = console.log();
  return settings;
}

void declare_reading_options(CommandLine& line, CommonOptions& options) {
  line.heading("Common options");
  line.option("--threads", "N", options.threads, "Threads that move bytes [as many as cores, 16]");
  line.option("--memory", "SIZE", options.memory, "Bound of the buffers for tensor data [128MiB]");
  line.flag("--ignore-checksums", options.ignore_checksums,
            "Take sources whose bytes are not what their own checksums say");
  line.option("--progress", "auto|json|none", options.progress, "Progress on standard error");
  line.flag("--json", options.json, "Print the result as JSON");
  line.flag("-v,--verbose", options.verbose, "Print more: notes, whole lists");
  declare_plugin_dir(line);
}

void declare_common_options(CommandLine& line, CommonOptions& options) {
  line.heading("Common options");
  line.flag("--dry-run", options.dry_run, "Say what would be done, as `ckptbridge plan` does");
  line.repeated_option("--tensor", "NAME", options.tensors,
                       "With plan: say of which pieces of which files this tensor is made, and "
                       "where they go. A name in IN or OUT, or a pattern (*, ?); may be repeated");
  line.flag("--overwrite", options.overwrite, "Replace an earlier output of the same kind");
  line.flag("--resume", options.resume, "Go on where an interrupted run of this command stopped");
  line.option("--checkpoint", "SIZE", options.checkpoint,
              "What is lost at most when a run is killed [1GiB]");
  line.flag("--sync", options.sync, "Bring the output to the disk before it appears (default)");
  line.flag("--no-sync,--no-fsync", options.no_sync, "Leave that to the system: faster");
  line.flag("--verify", options.verify, "Read OUT back and compare it with IN, as `verify` does");
  line.option("--manifest", "FILE", options.manifest,
              "Write the digests of all tensors, for `verify --manifest`");
  line.option("--report", "FILE", options.report,
              "Write what became of each tensor, and with which programs, as JSON");
  line.option("--html", "FILE", options.html,
              "Write the plan as a page for a browser: the flow, losses, and tensors by layer");
  declare_reading_options(line, options);
}

int perform(const Registry& registry, const Request& request, const CommonOptions& options) {
  if (options.sync && options.no_sync) {
    throw Error(CKB_INVALID_ARGUMENT, "--sync and --no-sync exclude each other");
  }
  if (!options.tensors.empty() && !options.dry_run) {
    throw Error(CKB_INVALID_ARGUMENT,
                "--tensor: only a plan tells this; type plan in front, or give --dry-run");
  }
  const auto begin = std::chrono::steady_clock::now();
  Console console(parse_progress(options.progress, has_terminal()), options.verbose);
  watch_signals();
  const Settings settings = settings_of(options, console);
  const ResultFile manifest_file("--manifest", options.manifest, request, options.overwrite);
  const ResultFile report_file("--report", options.report, request, options.overwrite);
  const ResultFile html_file("--html", options.html, request, options.overwrite);
  Conversion planned = prepare(registry, request, settings);
  Outcome outcome;
  if (!options.dry_run) outcome = convert(planned, settings);

  Losses losses = find_losses(planned.target, planned.coverage, request.input);
  Report report{std::move(planned), std::move(losses), std::move(outcome)};
  const auto& [wanted, source, chain, target, layout, coverage, plan] = report.conversion;
  report.done = !options.dry_run;
  report.whole_lists = options.verbose || options.dry_run;
  report.verbose = options.verbose;
  if (!options.tensors.empty()) {
    report.trace = trace(source.graph, target, layout, options.tensors, "--tensor");
  }
  if (report.done && (manifest_file.is_wanted() || report_file.is_wanted())) {
    const Graph whole = with_known_partition(source, target, "--manifest");
    report.digests = make_digest_list(whole, plan.buffers, settings.reading.feedback);
    source.arena->require_sound_sources();
    if (manifest_file.is_wanted()) {
      manifest_file.write(digest_list_json(*report.digests, kVersion));
    }
  }
  if (report.done && options.verify) {
    report.verified = verify_against_source(registry, request, settings.reading);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (report_file.is_wanted()) report_file.write(full_report_json(report));
  if (html_file.is_wanted()) {
    html_file.write(plan_page(report, trace(source.graph, target, layout, {}, "--html")));
  }
  console.clear();
  if (options.json) {
    fmt::print("{}", report_json(report));
  } else {
    print_text(report_text(report));
  }
  return report.verified ? exit_code(*report.verified) : 0;
}

}  // namespace ckptbridge::cli
