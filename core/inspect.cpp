#include "core/inspect.h"

#include <algorithm>

#include "ckptbridge/error.hpp"
#include "core/chain/recognise.h"
#include "core/conversion.h"
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
void try_target(const Checkpoint& checkpoint, Target& target, Inspection& result) {
  Request request;
  request.input = checkpoint.input.path;
  request.folder = checkpoint.input.folder;
  request.options = checkpoint.input.options;
  request.to = target.format;
  const auto& all_notes = checkpoint.arena->notes;
  const auto notes_before = static_cast<std::ptrdiff_t>(all_notes.size());
  try {
    const Graph graph = rewrite(checkpoint, find_chain(checkpoint, request));
    result.notes.assign(all_notes.begin() + notes_before, all_notes.end());
    result.model_size = property(graph, kModelSize);
  } catch (const Error& error) {
    if (error.code() == CKB_CANCELLED) throw;
    target.problem = error.what();
  }
}

// Formats to which manifests lead. Each is tried, since only the transforms know whether they can
// convert this model.
void find_targets(const Checkpoint& checkpoint, Inspection& result) {
  const Registry& registry = *checkpoint.registry;
  const Input& input = checkpoint.input;
  const auto transforms = registry.with_role(Role::kTransform);
  for (const Manifest* writer : registry.with_role(Role::kWriter)) {
    try {
      const auto chain = complete_chain({input.path, "OUT", checkpoint.graph.properties(),
                                         checkpoint.reader, writer, transforms, input.options});
      result.targets.push_back({writer->format, run_line(chain), ""});
    } catch (const Error&) {  // then no chain leads there
    }
  }
  for (Target& target : result.targets) try_target(checkpoint, target, result);
}

}  // namespace

Inspection inspect(const Registry& registry, const Input& input, const ReadSettings& settings,
                   std::optional<Checkpoint>& checkpoint) {
  Inspection result;
  try {
    checkpoint.emplace(find_checkpoint(registry, input, settings));
  } catch (const Error& error) {
    const auto looks = recognise(registry, input.path);
    if (error.code() != CKB_UNSUPPORTED || looks.empty()) throw;
    result.format = looks.front()->format;
    result.summary = looks.front()->summary;
    for (const Manifest* known : looks) result.text.push_back(known->text);
    return result;
  }
  result.format = checkpoint->reader->format;
  result.summary = checkpoint->reader->summary;
  result.reader = checkpoint->reader->id;
  try {
    read(*checkpoint);
  } catch (const Error& error) {
    if (error.code() == CKB_CANCELLED) throw;
    result.problem = error.what();
    result.failure = error;
    return result;
  }
  describe(checkpoint->graph, input.path, result);
  find_targets(*checkpoint, result);
  for (const Manifest* known : recognise(registry, input.path, checkpoint->graph.properties())) {
    result.text.push_back(known->text);
  }
  return result;
}

}  // namespace ckptbridge
