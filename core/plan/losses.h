// What a conversion left out, rounded or did not look at, told once per reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/graph/graph.h"
#include "core/plan/coverage.h"

namespace ckptbridge {

// Tensors whose elements lose precision on the way.
struct Rounding {
  Dtype from;
  Dtype to;
  std::uint64_t tensors = 0;
};

struct DroppedObjects {
  std::string reason;
  std::vector<std::string> names;  // in the order of the drops
};

struct Losses {
  std::vector<DroppedBytes> dropped;  // tensor data, by reason
  std::vector<DroppedObjects> dropped_objects;
  std::vector<Rounding> roundings;
  std::vector<std::string> unread;  // files below the input that nobody opened, relative to it
};

// input: what the user named; a single file has no files beside it that would be missed.
Losses find_losses(const Graph& written, const Coverage& coverage,
                   const boost::filesystem::path& input);

}  // namespace ckptbridge
