#include "core/inspect.h"

#include <algorithm>

#include "ckptbridge/error.hpp"
#include "core/chain/recognise.h"
#include "core/pipeline.h"
#include "core/plan/losses.h"

namespace ckptbridge {
namespace {

// The property by which a transform says which model size it found.
constexpr const char* kModelSize = "model_size";

std::string property(const Graph& graph, const std::string& key) {
  const auto found = graph.properties().find(key);
  return found == graph.properties().end() ? "" : found->second;
}

void describe(const Graph& graph, const boost::filesystem::path& input, Inspection& result) {
  const Arena& arena = graph.arena();
  result.properties = graph.properties();
  result.files = arena.sources.count();
  result.objects = graph.objects().size();
  for (const Tensor& tensor : graph.tensors()) {
    ++result.roles[tensor.role];
    result.mp_ranks =
        std::max<std::uint64_t>(result.mp_ranks, static_cast<std::uint64_t>(tensor.mp_world_size));
    DtypeCount& count = result.dtypes[dtype_name(arena.nodes.dtype(tensor.value))];
    ++count.tensors;
    count.elements += arena.nodes.count(tensor.value);
    count.bytes += arena.nodes.size(tensor.value);
    result.bytes += arena.nodes.size(tensor.value);
  }
  result.unread = find_losses(graph, {}, input).unread;
}

// What becomes of the transforms towards one format. What they add to the arena beside the graph
// that was read is of no use to the next.
void try_target(Conversion& run, Target& target, Inspection& result) {
  run.request.to = target.format;
  const std::size_t notes = run.arena.notes.size();
  try {
    rewrite(run);
  } catch (const Error& error) {
    if (error.code() == CKB_CANCELLED) throw;
    target.problem = error.what();
    return;
  }
  result.notes.assign(run.arena.notes.begin() + static_cast<std::ptrdiff_t>(notes),
                      run.arena.notes.end());
  result.model_size = property(run.target, kModelSize);
}

// Formats to which manifests lead. Each is tried, since only the transforms know whether they can
// convert this model.
void find_targets(Conversion& run, Inspection& result) {
  const Request& wanted = run.request;
  const auto transforms = run.registry.with_role(Role::kTransform);
  for (const Manifest* writer : run.registry.with_role(Role::kWriter)) {
    try {
      const auto chain = complete_chain({wanted.input, "OUT", run.source.properties(), run.reader,
                                         writer, transforms, wanted.options});
      result.targets.push_back({writer->format, run_line(chain), ""});
    } catch (const Error&) {  // then no chain leads there
    }
  }
  for (Target& target : result.targets) try_target(run, target, result);
}

}  // namespace

Inspection inspect(Conversion& run) {
  const boost::filesystem::path& input = run.request.input;
  Inspection result;
  try {
    open(run);
  } catch (const Error& error) {
    const auto looks = recognise(run.registry, input);
    if (error.code() != CKB_UNSUPPORTED || looks.empty()) throw;
    result.format = looks.front()->format;
    result.summary = looks.front()->summary;
    for (const Manifest* known : looks) result.text.push_back(known->text);
    return result;
  }
  result.format = run.reader->format;
  result.summary = run.reader->summary;
  result.reader = run.reader->id;
  try {
    read(run);
  } catch (const Error& error) {
    if (error.code() == CKB_CANCELLED) throw;
    result.problem = error.what();
    result.failure = error;
    return result;
  }
  describe(run.source, input, result);
  find_targets(run, result);
  for (const Manifest* known : recognise(run.registry, input, run.source.properties())) {
    result.text.push_back(known->text);
  }
  return result;
}

}  // namespace ckptbridge
