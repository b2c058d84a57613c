// Makes the files of an output in a staging folder, or what an interrupted run has left of them to
// do.
#pragma once

#include <cstdint>

#include "core/commit/journal.h"
#include "core/commit/staging.h"
#include "core/disk/output_files.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plan/plan.h"

namespace ckptbridge {

struct MakingSettings {
  bool resume = false;                  // go on with what an interrupted run has made
  std::uint64_t interval = UINT64_MAX;  // bytes after which data and journal go to the disk
  bool drop_behind = false;             // nothing is left in the page cache
};

// Fills `output`, which lies in staging.folder(), with the files of the layout, whose values are of
// target's arena. head opens the journal. Throws what execute() throws; CANCELLED, after the
// journal was brought to the disk and staging told to keep all, where the user stops it; EXISTS
// where an interrupted run's work is there that this run may not or cannot go on with.
void make_output(const Graph& target, const Layout& layout, const Plan& plan,
                 const JournalHead& head, const MakingSettings& settings, const Feedback& feedback,
                 Staging& staging, OutputFiles& output);

}  // namespace ckptbridge
