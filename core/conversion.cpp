#include "core/conversion.h"

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/chain/recognise.h"
#include "core/plugin_host/loaded_plugin.h"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

// Enough for a user to see what model it is.
std::string first_names(const Graph& graph) {
  constexpr std::size_t kFew = 3;
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors()) {
    if (names.size() == kFew) {
      names.push_back("…");
      break;
    }
    names.push_back(tensor.name);
  }
  return names.empty() ? "none" : list_text(names);
}

ChainText chain_text_of(const Checkpoint& source, const Request& request) {
  if (!request.steps.empty()) return {request.input, request.output, request.steps};
  const Registry& registry = *source.registry;
  const Properties& properties = source.graph.properties();
  try {
    return complete_chain({request.input, request.output, properties, source.reader,
                           &registry.require(Role::kWriter, request.to),
                           registry.with_role(Role::kTransform), request.options});
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    const std::string input = request.input.string();
    const auto known = recognise(registry, request.input, properties);
    if (!known.empty()) {
      throw Error(CKB_UNSUPPORTED, recognised_text(known, request.input), {.file = input});
    }
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: {}; its tensors are {}", input, error.what(), first_names(source.graph)),
        {.file = input});
  }
}

}  // namespace

void require_steps(const Registry& registry, const Request& request) {
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const StepText& step = request.steps[i];
    const Manifest& manifest = registry.require(step.plugin);
    const bool is_last = i + 1 == request.steps.size();
    const Role role = i == 0 ? Role::kReader : is_last ? Role::kWriter : Role::kTransform;
    if (!manifest.has(role)) {
      throw Error(
          CKB_INVALID_ARGUMENT, fmt::format("{} is not a {}", step.plugin, role_name(role)),
          {.hint = "a chain is READER ! TRANSFORM ! WRITER, with any number of transforms"});
    }
    options_json(manifest, step.options, request.folder);
  }
}

Input input_of(const Request& request) {
  if (request.steps.empty()) {
    return {request.input, request.folder, "", request.from, request.options};
  }
  const StepText& reader = request.steps.front();
  return {request.input, request.folder, reader.plugin, "", reader.options};
}

Chain find_chain(const Checkpoint& source, const Request& request) {
  Chain chain{chain_text_of(source, request), {}};
  for (const StepText& step : chain.text.steps) {
    const Manifest& manifest = source.registry->require(step.plugin);
    chain.steps.push_back({&manifest, options_json(manifest, step.options, request.folder)});
  }
  return chain;
}

Graph rewrite(const Checkpoint& source, const Chain& chain) {
  Graph graph = source.graph;
  for (std::size_t i = 1; i + 1 < chain.steps.size(); ++i) {
    const Step& step = chain.steps[i];
    graph = Plugin(*step.plugin, source.host->table()).rewrite(graph, step.options);
  }
  return graph;
}

Layout lay_out(const Checkpoint& source, Graph& target, const Chain& chain) {
  const Step& writer = chain.steps.back();
  return Plugin(*writer.plugin, source.host->table()).lay_out(target, writer.options);
}

Destination destination_of(const Conversion& conversion, bool overwrite) {
  Destination destination;
  destination.path = conversion.request.output;
  destination.overwrite = overwrite;
  for (const OutputFile& file : conversion.layout.files()) destination.paths.push_back(file.path);
  destination.job = conversion.request.job;
  destination.own = conversion.chain.steps.back().plugin->owns;
  return destination;
}

}  // namespace ckptbridge
