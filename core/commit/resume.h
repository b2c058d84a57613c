// How a run goes on where another one was interrupted: whether it is the same work, and what of the
// work is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/chain/chain.h"
#include "core/commit/journal.h"
#include "core/commit/staging.h"
#include "core/execute/workers.h"
#include "core/graph/graph.h"
#include "core/graph/layout.h"
#include "core/plan/plan.h"

namespace ckptbridge {

// Returns what tells the work of a run from other work. Threads, memory and host do not change it.
Identity make_identity(const Chain& chain, const Arena& arena, const Layout& layout);

// Returns the first difference, for the user: "its options were others"; "" if there is none.
std::string difference(const Identity& before, const Identity& now);

// Returns the numbers of the pairs that an interrupted run of the same work found to be unequal;
// that run found all other pairs equal. Returns nothing where there is no such run, or it made
// nothing.
std::optional<std::vector<std::uint64_t>> pairs_to_compare(const Destination& destination,
                                                           const Identity& identity);

// Returns the tasks of a plan of which some range is not made, and takes what they make out of
// `made`. Then both together are every byte once, even where `made` was made by a plan that cut the
// work at other places.
Plan remaining(const Plan& plan, const Layout& layout, Made& made);

// Adds the files of the layout to output, which lies in staging.folder(), and returns what is made
// of them already. Files of an interrupted run are taken over; if that run had made nothing, they
// are made anew. Throws EXISTS if that run's work is of another identity, or may not be taken over
// (`resume` is false): the staging folder is kept then. Throws IO if there is no room.
Made begin_output(const Layout& layout, const Identity& identity, bool resume, Staging& staging,
                  OutputFiles& output);

// Returns true where OUT holds what the plan makes, byte for byte; then clears what a killed run
// left of its staging folder.
bool is_complete(const Arena& arena, const Layout& layout, const Plan& plan,
                 const Destination& destination, const Feedback& feedback);

// Ends a run that its user stopped. Staging keeps what is made, for a run that goes on with it.
// Throws CANCELLED, which says how. total: bytes of the whole output.
[[noreturn]] void stop(Journal& journal, Staging& staging, std::uint64_t total);

}  // namespace ckptbridge
