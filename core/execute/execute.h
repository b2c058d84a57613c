// Moves the bytes: fills the output files of a layout from the sources, task by task.
#pragma once

#include <functional>
#include <span>

#include "core/disk/output_files.h"
#include "core/execute/output_checksums.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// [any-thread] Called when the ranges of a task are written, with the parts of checksums in them.
using TaskMade = std::function<void(std::span<const OutputRange>, std::span<const ChecksumPart>)>;

// Returns the name of the tensor to which the value belongs, whole or as a part; "" for none.
using TensorOf = std::function<std::string(ckb_node)>;

// Writes every byte of the plan: the whole layout, or what an earlier run has not made of it.
// before: the parts of checksums that the earlier run made. The files must have been added to
// output in the layout's order. Checksums are written last. Nothing is synced. With drop_behind,
// the page cache keeps nothing of what was read and written.
void execute(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output,
             bool drop_behind, const Feedback& feedback, std::span<const ChecksumPart> before = {},
             const TaskMade& made = {}, const TensorOf& tensor_of = {});

}  // namespace ckptbridge
