// evo2-mapper from NeMo to Savanna: what was renamed gets its old name, what was joined is split,
// and what cannot come back is named.
#pragma once

#include "ckptbridge/plugin.hpp"
#include "plugins/evo2/mapper_options.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"
#include "plugins/evo2/whole_tensors.h"

namespace ckptbridge::evo2 {

// The tensors fit the profile in names of that family, one of Megatron's.
void map_to_savanna(const MapperOptions& options, const Profile& profile, const NameTable& names,
                    Family family, const WholeTensors& tensors, const plugin::ConstGraph& in,
                    plugin::Graph& out);

}  // namespace ckptbridge::evo2
