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

// The name of the tensor whose value this is, or a part of it; "" where there is none.
using TensorOf = std::function<std::string(ckb_node)>;

// Writes every byte of the plan, which is every byte of every file of the layout, but for what was
// made before; the parts of checksums in that are `before`. The files must have been added to
// output in the layout's order. Checksums are written last. Nothing is synced. With drop_behind,
// what was read and written is not left in the page cache.
void execute(const Arena& arena, const Layout& layout, const Plan& plan, OutputFiles& output,
             bool drop_behind, const Feedback& feedback, std::span<const ChecksumPart> before = {},
             const TaskMade& made = {}, const TensorOf& tensor_of = {});

}  // namespace ckptbridge
