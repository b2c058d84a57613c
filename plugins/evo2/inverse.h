// The mapping read backwards: what of NeMo's tensors each of Savanna's is. Renames go back as
// renames, and what was laid end to end is split.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/evo2/expected.h"

namespace ckptbridge::evo2 {

// One of Savanna's tensors, as NeMo holds it.
struct Part {
  std::string name;
  Shape shape;
  std::string from;     // NeMo's tensor
  std::size_t dim = 0;  // of which these entries, of that dimension, are the part
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_whole = true;         // they are all there are
  bool is_filter = false;       // as of a Target
  std::optional<Cut> cut = {};  // what was cut off on the way to NeMo,
  std::uint64_t uncut = 0;      // and how many entries cut->dim had before
};

struct Inverse {
  std::vector<Part> parts;      // in Savanna's order
  std::vector<Source> missing;  // Savanna's tensors of which NeMo holds nothing
};

// Savanna's copies of another tensor (Source::equals) are neither.
Inverse inverse(const Expected& expected);

}  // namespace ckptbridge::evo2
