// What a profile may say, as a JSON Schema: for editors, and for `ckptbridge profiles check`, which
// loads no plugin. The build makes shared/profile.schema.json of it.
#pragma once

#include "core/text/json.h"
#include "plugins/evo2/fields.h"

namespace ckptbridge::evo2 {

// Besides the keywords of JSON Schema, "x-resolved" is about a profile together with what it
// inherits: which fields it needs, and which field of a number counts the letters of which text.
Json profile_schema(const FieldTable& fields);

}  // namespace ckptbridge::evo2
