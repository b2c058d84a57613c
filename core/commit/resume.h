// How an interrupted run is gone on with: is it the same work, and what of it is left to do.
#pragma once

#include <string>

#include "core/commit/journal.h"
#include "core/conversion.h"

namespace ckptbridge {

// Of a planned conversion. Nothing in it depends on threads, memory or host.
Identity identity_of(const Conversion& run);

// What differs, for the user; "" if nothing does.
std::string difference(const Identity& before, const Identity& now);

// The tasks of a plan of which some range is not made. Takes out of `made` what they make again, so
// that the two are together every byte once, whatever the plan was by which `made` was made.
Plan remaining(const Plan& plan, const Layout& layout, Made& made);

// Makes the files of the output; those that an interrupted run left in the staging folder are taken
// over, and what is made of them is given. If that run had made nothing, begins anew. Error EXISTS,
// and all is left as it was, if resuming was not asked for, or it was other work; IO if there is no
// room.
Made begin_output(const Conversion& run, Staging& staging, OutputFiles& output);

// Of a planned conversion: OUT holds what it would make, byte for byte. What a killed run left of
// its staging folder is cleared then.
bool is_complete(const Conversion& run);

// Ends a conversion that its user stopped: what is made is kept for one that goes on with it.
// Throws CANCELLED, which says how.
[[noreturn]] void stop(Conversion& run);

}  // namespace ckptbridge
