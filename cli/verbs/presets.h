// Verbs that manifests bring (include/README.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plugin_host/registry.h"

namespace ckptbridge::cli {

// Whether written with hyphens or underscores; nullptr: there is none.
const Manifest* find_preset(const Registry& registry, std::string_view verb);

// Does what a preset stands for. Its arguments become the same request as a `convert` or a `run`;
// it takes all of their options besides its own. Returns the exit code. Throws CORRUPT where the
// manifest names an option that a plugin of its chain has not.
int run_preset(const Registry& registry, const Manifest& manifest,
               const std::vector<std::string>& arguments, bool dry_run);

// Makes unusable what this program cannot have as a verb: a preset with the name of one of
// reserved, or of a preset that comes first, and one that takes or sets options which there are, or
// are not.
void refuse_presets(Registry& registry, const std::vector<std::string>& reserved);

}  // namespace ckptbridge::cli
