// One conversion: what is wanted, how to do it, and what is known of it so far.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/chain/chain.h"
#include "core/commit/journal.h"
#include "core/commit/staging.h"
#include "core/disk/output_files.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plan/coverage.h"
#include "core/plan/plan.h"
#include "core/plugin_host/host.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge {

// What the user wants. With a whole chain ("run"), its steps are used as they are; without
// ("convert"), the reader is detected and the transforms are found.
struct Request {
  boost::filesystem::path input;
  boost::filesystem::path output;   // empty: nothing will be written
  boost::filesystem::path folder;   // what relative paths in options start at
  std::vector<StepText> steps;      // reader, transforms, writer; or none
  std::string from;                 // format of the input; empty: detect
  std::string to;                   // format of the output
  std::vector<OptionText> options;  // for whichever plugin of the found chain declares them
  std::string job;  // of several that fill `output` together, file by file; see Destination
  // Files of `output` that are complete stay as they are; not with Settings::overwrite.
  bool skip_complete = false;
};

// How to do it. Nothing here changes a byte of the output.
struct Settings {
  Limits limits;
  bool overwrite = false;
  bool sync = true;                     // the output is on the disk before it appears
  bool resume = false;                  // go on with what an interrupted run has made
  std::uint64_t checkpoint = 1u << 30;  // bytes after which so much can be resumed
  bool ignore_checksums = false;        // of sources, where their formats have them
  bool explain = false;                 // values that differ are listed one by one, with statistics
  Feedback feedback;
  std::function<void(int level, const std::string& message)> log;  // 0 debug, 1 info, 2 warning
};

// Filled stage by stage. The registry must outlive it; it stays where it was made, as its graphs
// point into its arena.
struct Conversion {
  Conversion(const Registry& plugins, Request wanted, Settings how);
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  const Registry& registry;
  Request request;
  const Settings settings;
  Host host;
  Arena arena;

  const Manifest* reader = nullptr;
  ChainText chain;
  Graph source;  // as the reader gave it
  Graph target;  // after the last transform
  Layout layout;
  Coverage coverage;
  Plan tasks;
  std::optional<Staging> staging;
  std::optional<OutputFiles> output;
  std::optional<Journal> journal;
  bool is_complete = false;           // OUT was what this would make; nothing was done
  std::vector<std::string> warnings;  // of check and staging
};

// The plugins of a typed chain are there, have the roles of their places, and take the options they
// are given. Throws before anything is read; what a chain that is still to be found needs, shows
// only later.
void require_steps(const Registry& registry, const Request& request);

// The whole chain: as typed, or found from what the reader said of the input.
ChainText find_chain(const Conversion& run);

// The manifest of a step of the chain, and its options as the plugin gets them.
const Manifest& manifest_of(const Conversion& run, std::size_t step);
std::string options_of(const Conversion& run, std::size_t step);
// The reader's options; known before the chain is.
std::string reader_options_of(const Conversion& run);

Destination destination_of(const Conversion& run);

}  // namespace ckptbridge
