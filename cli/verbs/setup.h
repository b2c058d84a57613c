// What several verbs share before they begin: the registry, and options of plugins as options of
// the command.
#pragma once

#include <vector>

#include "cli/terminal/command_line.h"
#include "cli/verbs/verb_table.h"
#include "core/chain/options.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge::cli {

// The plugins as this process sees them. --plugin-dir is looked for in the arguments, since the
// options that a verb takes depend on it.
Registry open_registry(const Arguments& arguments);

// Declares --plugin-dir, for the help and so that parsing knows it.
void declare_plugin_dir(CommandLine& line);

// Declares each option of each usable plugin as --name, unless the verb has one of that name, and
// as --plugin-id.name. What is given is added to given.
void declare_plugin_options(CommandLine& line, const Registry& registry,
                            std::vector<OptionText>& given);

}  // namespace ckptbridge::cli
