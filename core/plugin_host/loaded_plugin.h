// Plugins as shared libraries: loading them, and calling into them.
//
// The only file of the core that knows Boost.DLL. What a plugin reports becomes an Error whose
// message begins with the plugin's id.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plugin_host/host.h"
#include "core/plugin_host/manifest.h"

namespace ckptbridge {

// A loaded plugin. It is never unloaded: errors, tables and threads of it may outlive all use.
class Plugin {
 public:
  // Loads the library that stands beside the manifest, and compares it with the manifest (id,
  // version, roles): INVALID_ARGUMENT, naming the manifest, if it cannot be loaded or differs.
  // table must outlive the plugin's last call.
  Plugin(const Manifest& manifest, const ckb_host* table);

  const std::string& id() const { return id_; }

  // 0: not this reader's format; 100: certain; below 0: it could not look. For a plugin with the
  // role only, as all below.
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
