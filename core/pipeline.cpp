#include "core/pipeline.h"

#include <memory>
#include <utility>

#include "ckptbridge/error.hpp"
#include "core/commit/make_output.h"
#include "core/commit/resume.h"
#include "core/commit/skip_complete.h"
#include "core/compare/unequal_replicas.h"
#include "core/disk/page_cache.h"

namespace ckptbridge {
namespace {

// What is missing there is not an input, but a place that vanished or never was.
template <typename Work>
auto on_output(Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() == CKB_NOT_FOUND) throw error.retold(CKB_IO, error.what());
    throw;
  }
}

}  // namespace

Conversion prepare(const Registry& registry, const Request& request, const Settings& settings) {
  Checkpoint source = find_checkpoint(registry, input_of(request), settings.reading);
  if (!request.output.empty()) require_separate(request.input, request.output);
  read(source);
  Chain chain = find_chain(source, request);
  Graph target = rewrite(source, chain);
  Layout layout = lay_out(source, target, chain);
  Coverage coverage = require_coverage(source.graph, layout);
  source.arena->checksums.leave_out(coverage.partly_needed);
  if (request.skip_complete && !settings.overwrite) {
    for (const std::string& path : leave_out_complete(layout, request.output)) {
      source.arena->notes.push_back(path + " is there already, and complete: skipped");
    }
  }
  Plan plan = make_plan(source.arena->nodes, layout, settings.reading.limits);
  return {request,           std::move(source),   std::move(chain), std::move(target),
          std::move(layout), std::move(coverage), std::move(plan)};
}

Outcome convert(Conversion& run, const Settings& settings) {
  auto& [request, source, chain, target, layout, coverage, plan] = run;
  const Feedback& feedback = settings.reading.feedback;
  const Destination destination = destination_of(run, settings.overwrite);
  const Identity identity = make_identity(chain, *source.arena, layout);
  if (settings.resume && is_complete(*source.arena, layout, plan, destination, feedback)) {
    return {true, {}};
  }
  require_destination(destination);

  const auto suspects = settings.resume ? pairs_to_compare(destination, identity) : std::nullopt;
  const auto unequal = find_unequal(*source.arena, plan.buffers, feedback, suspects);
  Outcome outcome{false, require_equal(source, unequal, plan.buffers, feedback, settings.explain)};

  const auto staging = on_output([&] { return std::make_unique<Staging>(destination); });
  OutputFiles output(staging->folder());
  // Without sync, nothing is brought to the disk while all goes well.
  const MakingSettings making{settings.resume, settings.sync ? settings.checkpoint : UINT64_MAX,
                              exceeds_memory(coverage.used + layout.total_size())};
  const JournalHead head{identity, layout.total_size(), numbers_of(unequal)};
  on_output([&] { make_output(target, layout, plan, head, making, feedback, *staging, output); });
  source.arena->sources.require_unchanged();
  on_output([&] { staging->commit(output, settings.sync); });
  const auto& notes = staging->notes();
  outcome.warnings.insert(outcome.warnings.end(), notes.begin(), notes.end());
  return outcome;
}

}  // namespace ckptbridge
