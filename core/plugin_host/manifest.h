// The manifest of a plugin: the JSON file beside its library that says what it is and what it
// takes, so that listing, help and chains need no library. include/README.md describes each member.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/option_spec.h"
#include "core/plugin_host/preset.h"

namespace ckptbridge {

enum class Role { kReader, kTransform, kWriter, kRecognise, kCompute, kPreset };

std::string_view role_name(Role role);  // "reader"

// Properties of a graph, or what a plugin asks of them: "names" = "savanna". A value of the form
// "option:NAME" stands for the value of the plugin's own option NAME.
using Properties = std::map<std::string, std::string>;

// NAME of "option:NAME".
std::optional<std::string> referenced_option(const std::string& value);

// What a transform can do: with a graph that has the properties `accepts`, one that has those of
// `gives`.
struct Rewrite {
  Properties accepts;
  Properties gives;
};

struct Manifest {
  boost::filesystem::path path;  // of the manifest; library and profiles lie beside it
  std::string id;
  std::string version;
  std::string abi;  // "1.0": the ABI that the plugin needs at least
  std::string library;
  std::vector<Role> roles;
  std::string summary;
  std::string format;
  std::vector<OptionSpec> options;
  std::vector<std::string> runtime;
  std::string profiles;  // folder of model profiles, "" for none

  // What chains match on: of a writer's input, and of what a transform can do, one for each way.
  Properties needs;
  std::vector<Rewrite> rewrites;

  // How an input is recognised by names and first bytes.
  std::vector<std::string> matches;   // patterns of file names
  std::vector<std::string> contains;  // patterns, each of which a file in the folder must fit
  std::string begins_with;            // first bytes of the file
  Properties properties;              // of the graph
  std::string text;                   // what inspect says of it

  // What a user can do where values differ that the plugin expects to be equal; "" if nothing.
  std::string on_difference;

  // Patterns of paths in an output, relative to it, that a writer may have made: with --overwrite,
  // an output that holds nothing else is replaced.
  std::vector<std::string> owns;

  // Objects that a writer changes on the way, such as one that names the format: `verify` looks
  // that they are there, and does not compare them.
  std::vector<std::string> edits;

  std::optional<Preset> preset;  // with the role preset

  std::vector<std::string> notes;  // unknown members, for --verbose
  std::string unusable;            // why this program cannot load it; "": it can

  bool has(Role role) const;
  const OptionSpec* option(std::string_view name) const;  // nullptr: there is none
  std::vector<std::string> option_names() const;
  boost::filesystem::path library_path() const;
  boost::filesystem::path profiles_path() const;  // empty: it has none
};

// Throws CORRUPT, naming path and member, for anything that is not a valid manifest. A manifest for
// a newer ABI is valid, and unusable.
Manifest parse_manifest(const std::string& text, const boost::filesystem::path& path);

}  // namespace ckptbridge
