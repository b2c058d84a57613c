#include "core/diff.h"

#include <optional>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/common_form.h"
#include "core/compare/compare_within.h"

namespace ckptbridge {
namespace {

std::string names_of(const Graph& graph) {
  const auto names = graph.properties().find("names");
  return names == graph.properties().end() ? "" : names->second;
}

// The graph with other names, or why that cannot be.
std::optional<Graph> mapped(const Checkpoint& run, const Graph& graph, const std::string& names,
                            const std::vector<OptionText>& options, std::string& problem) {
  try {
    return with_properties(run, graph, {{"mp_world_size", "1"}, {"names", names}}, options, "diff");
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    problem += fmt::format("\n  {}: {}", run.input.path.string(), error.what());
    return std::nullopt;
  }
}

// Brings both to the names of one of them; the direction that loses nothing is not known
// beforehand, so the first one that exists is taken.
void map_names(const Checkpoint& a, Graph& in_a, const Checkpoint& b, Graph& in_b,
               const std::vector<OptionText>& options, std::vector<std::string>& notes) {
  const std::string names_a = names_of(in_a);
  const std::string names_b = names_of(in_b);
  if (names_a == names_b || names_a.empty() || names_b.empty()) return;
  std::string problem;
  if (auto graph = mapped(a, in_a, names_b, options, problem)) {
    in_a = *graph;
    notes.push_back(
        fmt::format("{}: {} names became {} names", a.input.path.string(), names_a, names_b));
  } else if (auto other = mapped(b, in_b, names_a, options, problem)) {
    in_b = *other;
    notes.push_back(
        fmt::format("{}: {} names became {} names", b.input.path.string(), names_b, names_a));
  } else {
    throw Error(CKB_UNSUPPORTED, fmt::format("{} names and {} names cannot be brought together:{}",
                                             names_a, names_b, problem));
  }
}

void note_replicas(const Checkpoint& run, const Buffers& buffers, const Feedback& feedback,
                   std::vector<std::string>& notes) {
  Comparison replicas;
  compare_replicas(*run.arena, buffers, feedback, replicas);
  for (const TensorDifference& difference : replicas.differences) {
    notes.push_back(fmt::format("{}: {}", run.input.path.string(), line_of(difference)));
  }
}

Checkpoint open_collecting(const Registry& registry, const Input& input,
                           const ReadSettings& settings) {
  Checkpoint checkpoint = find_checkpoint(registry, input, settings);
  checkpoint.arena->checksums.collect();
  read(checkpoint);
  return checkpoint;
}

}  // namespace

Diff diff(const Registry& registry, const Input& a, const Input& b, const ReadSettings& settings,
          const std::optional<Tolerance>& tolerance) {
  const Checkpoint run_a = open_collecting(registry, a, settings);
  const Checkpoint run_b = open_collecting(registry, b, settings);
  std::optional<Compute> compute;
  if (tolerance) compute.emplace(registry, run_a.host->table());

  Diff result;
  Graph in_a = run_a.graph;
  Graph in_b = run_b.graph;
  map_names(run_a, in_a, run_b, in_b, a.options, result.notes);
  in_a = with_known_partition(run_a, in_a, "diff");
  in_b = with_known_partition(run_b, in_b, "diff");
  const Buffers buffers = make_buffers(settings.limits);
  const auto tensors_a = logical_tensors(in_a);
  const auto tensors_b = logical_tensors(in_b);
  result.comparison = compute ? compare_within(*run_a.arena, tensors_a, *run_b.arena, tensors_b,
                                               *compute, *tolerance, buffers, settings.feedback)
                              : compare_tensors(*run_a.arena, tensors_a, *run_b.arena, tensors_b,
                                                buffers, settings.feedback);
  for (const Checkpoint* run : {&run_a, &run_b}) {
    const Arena& arena = *run->arena;
    result.notes.insert(result.notes.end(), arena.notes.begin(), arena.notes.end());
    note_replicas(*run, buffers, settings.feedback, result.notes);
    arena.require_sound_sources();
    for (const auto& [place, wrong] : arena.checksums.wrong()) {
      result.notes.push_back(fmt::format("{}: {}", wrong.file, wrong.text));
    }
  }
  return result;
}

}  // namespace ckptbridge
