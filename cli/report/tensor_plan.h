// What becomes of single tensors, piece by piece, for `plan --tensor`.
#pragma once

#include <string>

#include "core/conversion.h"
#include "core/graph/trace.h"
#include "core/text/json.h"

namespace ckptbridge::cli {

// For each tensor of the output: what it is made of and how, and for each range of an output file
// the ranges of input files that it is filled from.
std::string tensor_plan_text(const Conversion& conversion, const Trace& trace);

// {"written": [{name, role, dtype, shape, ranks, mp_world_size, made_of: [{name, mp_rank}],
//               operations, places: [{file, offset, size,
//                                     pieces: [{from: {file, offset, size, repeats},
//                                               to: {offset, size, repeats}, dtypes}]}]}],
//  "not_written": [{name, mp_rank, reason}]}
Json tensor_plan_json(const Conversion& conversion, const Trace& trace);

}  // namespace ckptbridge::cli
