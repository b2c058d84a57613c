// The host's side of plugin.h: the table of functions that plugins call, and what handles point to.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ckptbridge/error.hpp"
#include "ckptbridge/plugin.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"

// Complete only on the host's side. Handles live on the stack around one call into a plugin.
struct ckb_error {
  std::string message;
  ckptbridge::About about;
};
struct ckb_graph {
  ckptbridge::Graph& graph;
};
struct ckb_layout {
  ckptbridge::Layout& layout;
  const ckptbridge::Nodes& nodes;
};

namespace ckptbridge {

// What plugins may ask of one run. A plugin may call these from any of its threads.
struct HostServices {
  // level: 0 debug, 1 info, 2 warning.
  std::function<void(int level, const std::string& message)> log = {};
  std::function<bool()> cancelled = {};
  // The folder of the manifest of plugin id; empty if there is none.
  std::function<std::string(const std::string& id)> plugin_folder = {};
};

// Connects plugins with one run, from its constructor to its destructor. Of several, the one that
// was made last answers. The destructor waits until no plugin is within a service; after that, the
// services are not called.
class Host {
 public:
  explicit Host(HostServices services);

  // The table for plugins: one for all Hosts, never freed. A plugin is never unloaded, so a pointer
  // that it keeps must work in later runs, between runs and while the process ends.
  const ckb_host* table() const;

 private:
  struct Disconnect {
    void operator()(const HostServices* services) const;
  };
  std::unique_ptr<const HostServices, Disconnect> services_;
};

}  // namespace ckptbridge
