// Moves the bytes: fills the output files of a layout from the sources, task by task.
#pragma once

#include "core/graph.h"
#include "core/layout.h"
#include "core/output.h"
#include "core/plan.h"
#include "core/workers.h"

namespace ckptbridge {

// Writes every byte of every file of the layout. The files must have been added to output in the
// layout's order. Checksums are written last. Nothing is synced. With drop_behind, what was read
// and written is not left in the page cache.
void execute(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output,
             bool drop_behind, const Feedback& feedback);

}  // namespace ckptbridge
