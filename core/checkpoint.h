// An opened checkpoint: the reader that was found for it, and what that reader says of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/chain/options.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/plan/buffers.h"
#include "core/plugin_host/host.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge {

// Which checkpoint, and what is known of its format.
struct Input {
  boost::filesystem::path path;
  boost::filesystem::path folder;   // where relative paths in options start
  std::string reader;               // id of the plugin; empty: detect it, among those of `from`
  std::string from;                 // a format; empty: any
  std::vector<OptionText> options;  // of the reader; where it is detected, of others too
};

// How checkpoints are read. No setting changes what is read.
struct ReadSettings {
  Limits limits;
  bool ignore_checksums = false;  // of sources, where their formats have them
  Feedback feedback;
  std::function<void(int level, const std::string& message)> log;  // 0 debug, 1 info, 2 warning
};

// Host and arena stay where they are when a Checkpoint is moved: graphs point into the arena, and
// plugins know the host. The registry must outlive it.
struct Checkpoint {
  const Registry* registry;
  Input input;
  const Manifest* reader;  // in the registry
  std::unique_ptr<Host> host;
  std::unique_ptr<Arena> arena;
  Graph graph;  // as the reader made it; empty before read()
};

// Returns what a host offers to plugins in such a run. The registry must outlive the services.
HostServices services_of(const Registry& registry, const ReadSettings& settings);

// Chooses the reader. Throws NOT_FOUND where there is no input, and UNSUPPORTED where no reader
// takes the input.
Checkpoint find_checkpoint(const Registry& registry, const Input& input,
                           const ReadSettings& settings);

// Lets the reader say where the bytes lie. Throws what the reader reports: CORRUPT, UNSUPPORTED,
// IO.
void read(Checkpoint& checkpoint);

// Finds and reads a checkpoint.
Checkpoint open_checkpoint(const Registry& registry, const Input& input,
                           const ReadSettings& settings);

}  // namespace ckptbridge
