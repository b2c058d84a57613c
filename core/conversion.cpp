#include "core/conversion.h"

#include <utility>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/chain/recognise.h"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Where relative names inside a checkpoint start: the folder itself, or that of the named file.
fs::path root_of(const fs::path& input) {
  if (fs::is_directory(input)) return input;
  return input.has_parent_path() ? input.parent_path() : fs::path(".");
}

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

HostServices services_of(const Registry& registry, const Settings& settings) {
  return {settings.log, settings.feedback.cancelled, [&registry](const std::string& id) {
            return registry.require(id).path.parent_path().string();
          }};
}

}  // namespace

Conversion::Conversion(const Registry& plugins, Request wanted, Settings how)
    : registry(plugins),
      request(std::move(wanted)),
      settings(std::move(how)),
      host(services_of(registry, settings)),
      arena(InputFiles(root_of(request.input))),
      source(arena),
      target(arena) {
  if (settings.ignore_checksums) arena.checksums.ignore();
}

void require_steps(const Registry& registry, const Request& request) {
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const StepText& step = request.steps[i];
    const Manifest& manifest = registry.require(step.plugin);
    const bool is_last = i + 1 == request.steps.size();
    const Role role = i == 0 ? Role::kReader : is_last ? Role::kWriter : Role::kTransform;
    if (!manifest.has(role)) {
      throw Error(
          CKB_INVALID_ARGUMENT, fmt::format("{} is no {}", step.plugin, role_name(role)),
          {.hint = "a chain is READER ! TRANSFORM ! WRITER, with any number of transforms"});
    }
    options_json(manifest, step.options, request.folder);
  }
}

ChainText find_chain(const Conversion& run) {
  const Request& wanted = run.request;
  if (!wanted.steps.empty()) return {wanted.input, wanted.output, wanted.steps};
  try {
    return complete_chain({wanted.input, wanted.output, run.source.properties(), run.reader,
                           &run.registry.require(Role::kWriter, wanted.to),
                           run.registry.with_role(Role::kTransform), wanted.options});
  } catch (const Error& error) {
    if (error.code() != CKB_UNSUPPORTED) throw;
    const auto known = recognise(run.registry, wanted.input, run.source.properties());
    if (!known.empty()) {
      throw Error(CKB_UNSUPPORTED, recognised_text(known, wanted.input),
                  {.file = wanted.input.string()});
    }
    throw Error(CKB_UNSUPPORTED,
                fmt::format("{}: {}; its tensors are {}", wanted.input.string(), error.what(),
                            first_names(run.source)),
                {.file = wanted.input.string()});
  }
}

const Manifest& manifest_of(const Conversion& run, std::size_t step) {
  return run.registry.require(run.chain.steps[step].plugin);
}

std::string options_of(const Conversion& run, std::size_t step) {
  return options_json(manifest_of(run, step), run.chain.steps[step].options, run.request.folder);
}

std::string reader_options_of(const Conversion& run) {
  const Request& wanted = run.request;
  return options_json(*run.reader,
                      wanted.steps.empty() ? options_for(*run.reader, wanted.options)
                                           : wanted.steps.front().options,
                      wanted.folder);
}

Destination destination_of(const Conversion& run) {
  Destination destination;
  destination.path = run.request.output;
  destination.overwrite = run.settings.overwrite;
  for (const OutputFile& file : run.layout.files()) destination.paths.push_back(file.path);
  destination.job = run.request.job;
  destination.own = manifest_of(run, run.chain.steps.size() - 1).owns;
  return destination;
}

}  // namespace ckptbridge
