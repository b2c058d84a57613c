// One conversion: what is wanted, and the stages between reading and planning, each of which takes
// what it needs and returns what it made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/chain/chain.h"
#include "core/checkpoint.h"
#include "core/commit/destination.h"
#include "core/graph/layout.h"
#include "core/plan/coverage.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// What the user wants. With a whole chain ("run"), its steps are used as they are; without
// ("convert"), the reader is detected and the transforms are found.
struct Request {
  boost::filesystem::path input;
  boost::filesystem::path output;   // empty: nothing will be written
  boost::filesystem::path folder;   // where relative paths in options start
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
  ReadSettings reading;
  bool overwrite = false;
  bool sync = true;                     // the output is on the disk before it appears
  bool resume = false;                  // go on with what an interrupted run has made
  std::uint64_t checkpoint = 1u << 30;  // bytes after which so much can be resumed
  bool explain = false;                 // values that differ are listed one by one, with statistics
};

// What each stage up to the plan has made.
struct Conversion {
  Request request;
  Checkpoint source;  // its graph: as the reader made it
  Chain chain;
  Graph target;  // after the last transform
  Layout layout;
  Coverage coverage;
  Plan plan;
};

// Throws, before anything is read, where a plugin of a typed chain is not there, has not the role
// of its place, or does not take the options that it is given. What a chain that is still to be
// found needs, shows only later.
void require_steps(const Registry& registry, const Request& request);

// The input of a request.
Input input_of(const Request& request);

// The whole chain: as typed, or found from what the reader said of the input. Throws UNSUPPORTED
// where the manifests lead to none.
Chain find_chain(const Checkpoint& source, const Request& request);

// The transforms say what the bytes mean.
Graph rewrite(const Checkpoint& source, const Chain& chain);

// The writer says where the bytes go. It may add to the graph's arena, and drop objects.
Layout lay_out(const Checkpoint& source, Graph& target, const Chain& chain);

Destination destination_of(const Conversion& conversion, bool overwrite);

}  // namespace ckptbridge
