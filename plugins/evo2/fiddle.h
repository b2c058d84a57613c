// Fiddle's JSON of a configuration tree, as NeMo keeps it in context/io.json.
#pragma once

#include "core/text/json.h"

namespace ckptbridge::evo2 {

// A tree is a scalar, {"class": [MODULE, NAME], "arguments": {NAME: TREE, ...}},
// {"dict": {KEY: TREE, ...}} or {"reference": [MODULE, NAME]}, a Python object by its name.
// Throws Error for anything else.
Json fiddle_json(const Json& tree);

}  // namespace ckptbridge::evo2
