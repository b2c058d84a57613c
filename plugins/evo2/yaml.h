// YAML and JSON as Python writes them, so that the context files are NeMo's byte for byte.
#pragma once

#include <string>

#include "core/text/json.h"

namespace ckptbridge::evo2 {

// As yaml.dump of PyYAML 6: block style, keys sorted.
std::string dump_yaml(const Json& value);

// As json.dumps: ", " and ": " between parts, ASCII.
std::string dump_json(const Json& value);

}  // namespace ckptbridge::evo2
