// Checks JSON against a schema, with all problems and not only the first.
//
// Understood is the part of JSON Schema (draft 2020-12) that a flat file of settings needs: type,
// const, enum, minimum, maximum, minLength, maxLength, pattern, items, properties, required and
// additionalProperties: false. A pattern is a row of character classes, each with * or + or
// neither: "^[A-Z][a-z]*$". Other keywords count for nothing.
#pragma once

#include <string>
#include <vector>

#include "core/text/json.h"

namespace ckptbridge {

// "num_layers: expected an integer, found "7"", for each place that the schema does not allow. The
// schema is trusted: throws CORRUPT for a keyword with a value of another type than it has.
std::vector<std::string> schema_problems(const Json& schema, const Json& value);

}  // namespace ckptbridge
