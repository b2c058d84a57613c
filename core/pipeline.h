// A conversion from its first stage to its last; read this first.
//
//   open ─▶ read ─▶ rewrite* ─▶ lay out ─▶ plan ─▶ check ─▶ execute ─▶ commit
//
// Everything up to plan is metadata: its cost does not depend on what the tensors weigh, and it
// changes nothing on the disk. Each stage throws Error, and then OUT is as it was.
#pragma once

#include "core/conversion.h"

namespace ckptbridge {

// Chooses the reader.
void open(Conversion& run);
// The reader says where the bytes lie.
void read(Conversion& run);
// The transforms say what they mean.
void rewrite(Conversion& run);
// The writer says where they go.
void lay_out(Conversion& run);
// Proves that nothing is lost, and cuts the work into tasks.
void plan(Conversion& run);
// Compares what must be equal.
void check(Conversion& run);
// Moves each byte once, into a staging folder that goes away with the conversion.
void execute(Conversion& run);
// The destination changes at the very end, all at once.
void commit(Conversion& run);

// open … plan: what "ckptbridge plan" does.
void prepare(Conversion& run);
// check … commit, for a prepared conversion.
void convert(Conversion& run);

}  // namespace ckptbridge
