#include "core/pipeline.h"

#include <cassert>

#include "ckptbridge/error.hpp"
#include "core/chain/detect.h"
#include "core/commit/resume.h"
#include "core/commit/skip_complete.h"
#include "core/compare/expectations.h"
#include "core/compare/unequal_replicas.h"
#include "core/disk/page_cache.h"
#include "core/execute/execute.h"
#include "core/graph/tensor_of_value.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge {
namespace {

// What is missing there is no input, but a place that vanished or never was.
template <typename Work>
void on_output(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == CKB_NOT_FOUND) throw error.retold(CKB_IO, error.what());
    throw;
  }
}

}  // namespace

void open(Conversion& run) {
  const Request& wanted = run.request;
  run.reader = wanted.steps.empty()
                   ? &detect_reader(run.registry, run.host, wanted.input, wanted.from)
                   : &run.registry.require(wanted.steps.front().plugin);
  if (!wanted.output.empty()) require_separate(wanted.input, wanted.output);
}

void read(Conversion& run) {
  const Plugin reader(*run.reader, run.host.table());
  run.source = reader.read_graph(run.request.input.string(), reader_options_of(run), run.arena);
}

void rewrite(Conversion& run) {
  run.chain = find_chain(run);
  run.target = run.source;
  for (std::size_t i = 1; i + 1 < run.chain.steps.size(); ++i) {
    const Plugin transform(manifest_of(run, i), run.host.table());
    run.target = transform.rewrite(run.target, options_of(run, i));
  }
}

void lay_out(Conversion& run) {
  const std::size_t last = run.chain.steps.size() - 1;
  const Plugin writer(manifest_of(run, last), run.host.table());
  run.layout = writer.lay_out(run.target, options_of(run, last));
}

void plan(Conversion& run) {
  run.coverage = require_coverage(run.source, run.layout);
  for (const auto& [file, offset] : run.coverage.partly_needed) {
    run.arena.checksums.leave_out(file, offset);
  }
  if (run.request.skip_complete && !run.settings.overwrite) {
    for (const std::string& path : leave_out_complete(run.layout, run.request.output)) {
      run.arena.notes.push_back(path + " is there already, and complete: skipped");
    }
  }
  run.tasks = make_plan(run.arena.nodes, run.layout, run.settings.limits);
}

void check(Conversion& run) {
  run.warnings = require_equal(run, find_differences(run.arena, run.tasks, run.settings.feedback));
}

void execute(Conversion& run) {
  on_output([&] {
    Staging& staging = run.staging.emplace(destination_of(run));
    OutputFiles& output = run.output.emplace(staging.folder());
    Made made = begin_output(run, staging, output);
    run.arena.checksums.go_on(made.storages);
    const Plan rest = remaining(run.tasks, run.layout, made);
    // Without sync, nothing is brought to the disk while all goes well.
    const std::uint64_t interval = run.settings.sync ? run.settings.checkpoint : UINT64_MAX;
    Journal& journal =
        run.journal.emplace(staging.partial(), identity_of(run), run.layout.total_size(), output,
                            run.arena.checksums, interval, made);
    const bool drop_behind = exceeds_memory(run.coverage.used + run.layout.total_size());
    try {
      execute(
          run.arena, run.layout, rest, output, drop_behind, run.settings.feedback, made.parts,
          [&](auto ranges, auto parts) { journal.add(ranges, parts); }, TensorOfValue(run.target));
      run.arena.checksums.finish(run.arena.sources);
    } catch (const Error& error) {
      if (error.code() == CKB_CANCELLED) stop(run);
      throw;
    }
  });
}

void commit(Conversion& run) {
  assert(run.staging && run.output);
  run.arena.sources.require_unchanged();
  on_output([&] { run.staging->commit(*run.output, run.settings.sync); });
  run.warnings.insert(run.warnings.end(), run.staging->notes().begin(), run.staging->notes().end());
}

void prepare(Conversion& run) {
  open(run);
  read(run);
  rewrite(run);
  lay_out(run);
  plan(run);
}

void convert(Conversion& run) {
  run.is_complete = run.settings.resume && is_complete(run);
  if (run.is_complete) return;
  require_destination(destination_of(run));
  check(run);
  execute(run);
  commit(run);
}

}  // namespace ckptbridge
