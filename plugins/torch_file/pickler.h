// Writes values as a pickle of protocol 2, which every torch.load reads.
#pragma once

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

// Returns a pickle of root and all that root reaches. A value that is used more than once is
// written once and referred to, so shared and self-containing values stay what they are. All
// opcodes are known to torch.load(weights_only=True), except for integers of more than 255 bytes
// and for tuples that contain themselves. Equal values become equal bytes.
Bytes pickle(const Values& values, ValueId root);

}  // namespace ckptbridge::torch_file
