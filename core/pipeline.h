// A conversion from its first stage to its last; read this first.
//
//   open ─▶ read ─▶ rewrite* ─▶ lay out ─▶ plan ─▶ check ─▶ execute ─▶ commit
//
// Everything up to plan is metadata: its cost does not depend on what the tensors weigh, and it
// changes nothing on the disk. Each stage throws Error, and then OUT is as it was.
#pragma once

#include <string>
#include <vector>

#include "core/conversion.h"

namespace ckptbridge {

// What a conversion came to.
struct Outcome {
  bool was_complete = false;          // OUT was what this would make; nothing was done
  std::vector<std::string> warnings;  // of replicas that differ, and of staging
};

// open … plan: what "ckptbridge plan" does. The registry must outlive the result.
Conversion prepare(const Registry& registry, const Request& request, const Settings& settings);

// check … commit. The destination changes at the very end, all at once.
Outcome convert(Conversion& conversion, const Settings& settings);

}  // namespace ckptbridge
