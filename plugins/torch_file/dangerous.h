// Functions that only an attack makes a pickle call. Nothing here is ever called; the user should
// know what the file would have done elsewhere.
#pragma once

#include <string>
#include <vector>

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

// Returns the names in a pickle that run programs, code or other pickles, open connections or
// change files: "os.system". Sorted. A name that is not returned may be harmful as well.
std::vector<std::string> dangerous_names(const Values& values);

// "its pickle names os.system, builtins.eval and 3 more: …"; "" where there is none.
std::string warning_of(const std::vector<std::string>& dangerous);

}  // namespace ckptbridge::torch_file
