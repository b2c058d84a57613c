#include "core/checkpoint.h"

#include <utility>

#include <boost/filesystem/operations.hpp>

#include "core/chain/detect.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Where relative names inside a checkpoint start: the folder itself, or that of the named file.
fs::path root_of(const fs::path& input) {
  if (fs::is_directory(input)) return input;
  return input.has_parent_path() ? input.parent_path() : fs::path(".");
}

}  // namespace

HostServices services_of(const Registry& registry, const ReadSettings& settings) {
  return {settings.log, settings.feedback.cancelled, [&registry](const std::string& id) {
            return registry.require(id).path.parent_path().string();
          }};
}

Checkpoint find_checkpoint(const Registry& registry, const Input& input,
                           const ReadSettings& settings) {
  auto host = std::make_unique<Host>(services_of(registry, settings));
  const Manifest& reader = input.reader.empty()
                               ? detect_reader(registry, *host, input.path, input.from)
                               : registry.require(input.reader);
  auto arena = std::make_unique<Arena>(InputFiles(root_of(input.path)));
  if (settings.ignore_checksums) arena->checksums.ignore();
  const Graph empty(*arena);
  return {&registry, input, &reader, std::move(host), std::move(arena), empty};
}

void read(Checkpoint& checkpoint) {
  const auto& [registry, input, manifest, host, arena, graph] = checkpoint;
  const auto options = input.reader.empty() ? options_for(*manifest, input.options) : input.options;
  const Plugin reader(*manifest, host->table());
  checkpoint.graph = reader.read_graph(input.path.string(),
                                       options_json(*manifest, options, input.folder), *arena);
}

Checkpoint open_checkpoint(const Registry& registry, const Input& input,
                           const ReadSettings& settings) {
  Checkpoint checkpoint = find_checkpoint(registry, input, settings);
  read(checkpoint);
  return checkpoint;
}

}  // namespace ckptbridge
