// Plugins as shared libraries: loading them, and calling into them.
//
// Only this file of the core knows Boost.DLL. An error that a plugin reports is thrown as an Error
// whose message begins with the plugin's id.
#pragma once

#include <functional>
#include <string>

#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plugin_host/host.h"
#include "core/plugin_host/manifest.h"

namespace ckptbridge {

// A loaded plugin. The library is never unloaded: its errors, tables and threads may outlive all
// use.
class Plugin {
 public:
  // Loads the library that stands beside the manifest, and compares it with the manifest (id,
  // version, roles). Throws INVALID_ARGUMENT, naming the manifest, if the library cannot be loaded
  // or differs. table: of a Host, which lasts as long as the process.
  Plugin(const Manifest& manifest, const ckb_host* table);

  const std::string& id() const { return id_; }

  // Returns 0 for another format, 100 for certain, below 0 where the reader could not look. Call
  // this, and each function below, only for a plugin with the role.
  int probe(const std::string& path) const;

  // options: one JSON object.
  Graph read_graph(const std::string& path, const std::string& options, Arena& arena) const;
  Graph rewrite(const Graph& in, const std::string& options) const;
  Layout lay_out(Graph& graph, const std::string& options) const;

  // The table of an extension, "name/revision"; nullptr where the plugin has none of that name.
  const void* extension(const char* name) const;
  // Calls a function of an extension; what it reports is thrown.
  void call(const std::function<ckb_status(ckb_error*)>& body) const;

 private:
  std::string id_;
  const ckb_plugin* plugin_;
};

}  // namespace ckptbridge
