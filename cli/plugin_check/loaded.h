// The plugin's library as the dynamic loader opens it, for tests of its entry point and tables.
#pragma once

#include <functional>

#include "ckptbridge/plugin.h"
#include "cli/plugin_check/subject.h"

namespace ckptbridge::plugin_check {

// Loads a library for good, and returns its entry point. Throws Failed with dlopen's words.
ckb_entry load_entry(const boost::filesystem::path& library);

// Returns the plugin's table for a host. Throws Failed if the plugin returns none.
const ckb_plugin& require_table(const Subject& subject, const ckb_host* host);

// Calls into the plugin. Failed if an exception comes out.
ckb_status call_guarded(const std::function<ckb_status(ckb_error*)>& body, ckb_error& error);

}  // namespace ckptbridge::plugin_check
