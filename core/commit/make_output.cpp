#include "core/commit/make_output.h"

#include "ckptbridge/error.hpp"
#include "core/commit/resume.h"
#include "core/execute/execute.h"
#include "core/graph/tensor_of_value.h"

namespace ckptbridge {

void make_output(const Graph& target, const Layout& layout, const Plan& plan,
                 const JournalHead& head, const MakingSettings& settings, const Feedback& feedback,
                 Staging& staging, OutputFiles& output) {
  const Arena& arena = target.arena();
  Made made = begin_output(layout, head.identity, settings.resume, staging, output);
  arena.checksums.go_on(made.storages);
  const Plan rest = remaining(plan, layout, made);
  Journal journal(staging.partial(), head, output, arena.checksums, settings.interval, made);
  try {
    execute(
        arena, layout, rest, output, settings.drop_behind, feedback, made.parts,
        [&](auto ranges, auto parts) { journal.add(ranges, parts); }, TensorOfValue(target));
    arena.checksums.finish(arena.sources);
  } catch (const Error& error) {
    if (error.code() == CKB_CANCELLED) stop(journal, staging, head.total);
    throw;
  }
}

}  // namespace ckptbridge
