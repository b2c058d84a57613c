// What a checkpoint of a profile holds in Savanna, and what NeMo makes of it: names, shapes and how
// each is made, from the profile and the name table alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"

namespace ckptbridge::evo2 {

using Shape = std::vector<std::uint64_t>;

// The first count entries of dimension dim; what lies beyond is lost.
struct Cut {
  std::size_t dim = 0;
  std::uint64_t count = 0;
  std::string reason;
  bool identifying = false;  // the size of the dimension tells model sizes apart
};

struct Source {
  std::string name;  // "sequential.3.mlp.w1.weight"
  Shape shape;
  bool optional = false;
  std::string equals;      // the tensor that this one repeats; "" for none
  std::string dropped;     // why it is not converted; "" when it is
  std::optional<Cut> cut;  // dimension cut->dim may have any size from cut->count on
};

struct Target {
  std::string name;  // "module.decoder.layers.1.mlp.linear_fc1.weight"
  Shape shape;
  std::vector<std::string> from;  // names of sources, laid end to end; none: an object
  std::size_t concat_dim = 0;
  std::optional<Cut> cut;  // of the one source
  bool is_filter = false;  // stays fp32 with --keep-fp32-filters
  ObjectValue object = ObjectValue::kEmpty;

  bool is_object() const { return from.empty(); }
};

struct Expected {
  std::vector<Source> sources;  // in Savanna's order
  std::vector<Target> targets;  // in the order of NeMo's state dict
};

// Throws Error when the profile contradicts itself, as a hidden size that no head count divides.
Expected expected(const Profile& profile, const NameTable& names);

// The profile with Transformer Engine where that family of names has it, one of Megatron's.
Profile with_engine_of(Family family, Profile profile);

// The tensors of a checkpoint of the profile in the names of that family, and what may differ.
std::vector<Source> tensors_of(const Profile& profile, const NameTable& names, Family family);

// Throws UNSUPPORTED when the profile says something that the mapping does not know (experts,
// another tokenizer).
void require_mapped(const Profile& profile, const NameTable& names);
// The same, and when NeMo has no class for the profile.
void require_convertible(const Profile& profile, const NameTable& names);

}  // namespace ckptbridge::evo2
