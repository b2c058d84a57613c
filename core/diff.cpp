#include "core/diff.h"

#include <optional>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/common_form.h"
#include "core/compare/compare_within.h"
#include "core/pipeline.h"

namespace ckptbridge {
namespace {

std::string names_of(const Graph& graph) {
  const auto names = graph.properties().find("names");
  return names == graph.properties().end() ? "" : names->second;
}

// The graph with other names, or why that cannot be.
std::optional<Graph> mapped(Conversion& run, const Graph& graph, const std::string& names,
                            const std::vector<OptionText>& options, std::string& problem) {
  try {
    return with_properties(run, graph, {{"mp_world_size", "1"}, {"names", names}}, options, "diff");
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    problem += fmt::format("\n  {}: {}", run.request.input.string(), error.what());
    return std::nullopt;
  }
}

// Gives both the names of one of them; the direction that loses nothing is not known beforehand, so
// the first one that exists is taken.
void map_names(Conversion& a, Graph& in_a, Conversion& b, Graph& in_b,
               const std::vector<OptionText>& options, std::vector<std::string>& notes) {
  const std::string names_a = names_of(in_a);
  const std::string names_b = names_of(in_b);
  if (names_a == names_b || names_a.empty() || names_b.empty()) return;
  std::string problem;
  if (auto graph = mapped(a, in_a, names_b, options, problem)) {
    in_a = *graph;
    notes.push_back(
        fmt::format("{}: {} names became {} names", a.request.input.string(), names_a, names_b));
  } else if (auto other = mapped(b, in_b, names_a, options, problem)) {
    in_b = *other;
    notes.push_back(
        fmt::format("{}: {} names became {} names", b.request.input.string(), names_b, names_a));
  } else {
    throw Error(CKB_UNSUPPORTED, fmt::format("{} names and {} names cannot be brought together:{}",
                                             names_a, names_b, problem));
  }
}

void note_replicas(const Conversion& run, const Buffers& buffers, std::vector<std::string>& notes) {
  Comparison replicas;
  compare_replicas(run.arena, buffers, run.settings.feedback, replicas);
  for (const TensorDifference& difference : replicas.differences) {
    notes.push_back(fmt::format("{}: {}", run.request.input.string(), line_of(difference)));
  }
}

}  // namespace

Diff diff(const Registry& registry, const Request& a, const Request& b, const Settings& settings,
          const std::optional<Tolerance>& tolerance) {
  Conversion run_a(registry, a, settings);
  std::optional<Compute> compute;
  if (tolerance) compute.emplace(registry, run_a.host.table());
  run_a.arena.checksums.collect();
  open(run_a);
  read(run_a);
  Conversion run_b(registry, b, settings);
  run_b.arena.checksums.collect();
  open(run_b);
  read(run_b);

  Diff result;
  Graph in_a = run_a.source;
  Graph in_b = run_b.source;
  map_names(run_a, in_a, run_b, in_b, a.options, result.notes);
  in_a = with_known_partition(run_a, in_a, "diff");
  in_b = with_known_partition(run_b, in_b, "diff");
  const Buffers buffers = make_buffers(settings.limits);
  const auto tensors_a = logical_tensors(in_a);
  const auto tensors_b = logical_tensors(in_b);
  result.comparison = compute ? compare_within(run_a.arena, tensors_a, run_b.arena, tensors_b,
                                               *compute, *tolerance, buffers, settings.feedback)
                              : compare_tensors(run_a.arena, tensors_a, run_b.arena, tensors_b,
                                                buffers, settings.feedback);
  for (const Conversion* run : {&run_a, &run_b}) {
    result.notes.insert(result.notes.end(), run->arena.notes.begin(), run->arena.notes.end());
    note_replicas(*run, buffers, result.notes);
    run->arena.require_sound_sources();
    for (const auto& [place, wrong] : run->arena.checksums.wrong()) {
      result.notes.push_back(fmt::format("{}: {}", wrong.file, wrong.text));
    }
  }
  return result;
}

}  // namespace ckptbridge
