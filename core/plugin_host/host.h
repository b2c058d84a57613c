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

// What plugins may ask of the program around the core.
struct HostServices {
  // level: 0 debug, 1 info, 2 warning.
  std::function<void(int level, const std::string& message)> log;
  std::function<bool()> cancelled;
  // The folder of the manifest of plugin id; empty if there is none.
  std::function<std::string(const std::string& id)> plugin_folder;
};

struct HostState;

// A table for plugins. Must outlive every call into a plugin that was loaded with it.
class Host {
 public:
  explicit Host(HostServices services);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const ckb_host* table() const;

 private:
  std::unique_ptr<HostState> state_;
};

}  // namespace ckptbridge
