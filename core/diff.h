// Two checkpoints of any formats, by logical tensor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "core/compare/compare_checkpoints.h"
#include "core/plugin_host/compute_plugin.h"

namespace ckptbridge {

struct Diff {
  Comparison comparison;           // "expected" is what a has, "found" what b has
  std::vector<std::string> notes;  // names that were mapped; replicas and checksums of a or b
                                   // that are wrong
};

// Brings both to one set of names and to whole tensors by the transforms that the manifests lead
// to, and compares. The options of a are for the transforms, and those that the readers declare for
// the readers. Tensors that no transform can join are compared rank by rank. With a tolerance, a
// plugin with the role "compute" compares values, and types may differ. Throws UNSUPPORTED where
// the names differ and no transform maps them, or where no plugin computes.
Diff diff(const Registry& registry, const Input& a, const Input& b, const ReadSettings& settings,
          const std::optional<Tolerance>& tolerance = {});

}  // namespace ckptbridge
