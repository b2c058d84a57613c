// The top-level "key: value" pairs of a configuration file, without a YAML library.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

// A '-' in a key is a '_', as for Savanna itself.
using Settings = std::vector<std::pair<std::string, Value>>;

// The scalars at the top level of a JSON object or of YAML, block ("key: 1") or flow ('"key": 1,').
// Lists, nested tables and what is neither are left out; of a key given twice, the last value
// counts, as in YAML. Never throws for what a file holds.
Settings read_settings(std::string_view text);

// The same of the mapping below a top-level key of block YAML.
Settings read_settings_below(std::string_view key, std::string_view text);

}  // namespace ckptbridge::evo2
