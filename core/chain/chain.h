// From what the user typed to the plugins of one conversion, in order: a reader, transforms, a
// writer.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/chain/options.h"
#include "core/plugin_host/manifest.h"

namespace ckptbridge {

// One plugin of a chain as it was typed.
struct StepText {
  std::string plugin;
  std::vector<OptionText> options;  // "path" among them, where it was given
};

// A chain as it was typed and where it begins and ends.
struct ChainText {
  boost::filesystem::path input;
  boost::filesystem::path output;
  std::vector<StepText> steps;  // without "path"
};

// One plugin of a chain, ready to be called.
struct Step {
  const Manifest* plugin;  // in the registry
  std::string options;     // one JSON object
};

// A chain, and what each of its steps is.
struct Chain {
  ChainText text;
  std::vector<Step> steps;
};

// Reads "acme.reader path=IN ! acme.resharder ranks=1 ! acme.writer path=OUT". Each argument
// that begins with NAME= is one option, blanks and all; any other is split at blanks, where quotes
// and backslashes mean what they mean to a shell. Throws INVALID_ARGUMENT.
ChainText parse_chain(const std::vector<std::string>& arguments);

// Reads a chain from JSON: {"steps": [{"plugin": ID, "path": PATH, "options": {NAME: VALUE}}]}.
// Throws CORRUPT, with `where` in front.
ChainText parse_chain_json(const std::string& text, const std::string& where);

// What automatic completion starts from.
struct ChainRequest {
  boost::filesystem::path input;
  boost::filesystem::path output;
  Properties properties;  // of the graph that the reader made
  const Manifest* reader = nullptr;
  const Manifest* writer = nullptr;
  std::vector<const Manifest*> transforms;  // all that there are
  std::vector<OptionText> options;          // all that the user gave, for whichever plugin
};

// Returns the whole chain from reader to writer. While a need of the writer is unmet, the only
// transform that meets the need, and accepts what the graph is by then, comes next, with the option
// that makes it do so (mp-size=1, where mp_world_size must be 1). An option of the user's to which
// `gives` of a transform refers is a need as well. Throws UNSUPPORTED where no transform fits, and
// INVALID_ARGUMENT where several do, with the lines to type instead, or where an option belongs to
// no plugin or to several.
ChainText complete_chain(const ChainRequest& request);

// Returns only the transforms of the chain that complete_chain() would return; `writer` is only a
// set of needs. Options that no transform takes are for others.
std::vector<StepText> complete_transforms(const ChainRequest& request);

// The command line that runs a chain, quoted for a shell.
std::string run_line(const ChainText& chain);

}  // namespace ckptbridge
