// The plugin under test, as its author built it.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/conversion.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge::plugin_check {

// The plugin did what it may not do.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Why a test cannot say anything here.
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Subject {
  // Throws Error if there is no valid manifest at this path. programs_folder: where the installed
  // plugins are found from, as the command finds them.
  Subject(const boost::filesystem::path& manifest_path, const boost::filesystem::path& program);

  boost::filesystem::path path;     // of the manifest, absolute
  Registry registry;                // the manifest's folder, then the installed plugins
  const Manifest& manifest;         // in the registry
  boost::filesystem::path sample;   // a checkpoint; empty: none was given
  std::vector<OptionText> options;  // for whichever plugin of a chain declares them
  // From <id>.check.json beside the manifest: tests that do not apply, and why.
  std::map<std::string, std::string> quirks;
};

// The sample; Skipped without one.
const boost::filesystem::path& require_sample(const Subject& subject);

// The options of the plugin itself as it gets them; Skipped where a required one was not given.
std::string own_options(const Subject& subject);

// The plugin reads input as a reader; what it reports is thrown. cancelled: as if the user had
// asked to stop.
Checkpoint read_with(const Subject& subject, const boost::filesystem::path& input,
                     bool cancelled = false);

// Whichever plugin is a reader of input reads it.
Checkpoint read_by_any(const Subject& subject, const boost::filesystem::path& input);

// What `convert INPUT … --to FORMAT` is asked for, where the plugin is the writer; without an
// output.
Request request_for(const Subject& subject, const boost::filesystem::path& input);

// The conversion up to its plan.
Conversion planned(const Subject& subject, const boost::filesystem::path& input,
                   bool cancelled = false);

}  // namespace ckptbridge::plugin_check
