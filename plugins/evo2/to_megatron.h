// evo2-mapper from Savanna to NeMo: sources are joined, truncated and cast, all else is dropped
// with its reason, and the objects of a NeMo2 checkpoint are added.
#pragma once

#include "ckptbridge/plugin.hpp"
#include "plugins/evo2/mapper_options.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"
#include "plugins/evo2/whole_tensors.h"

namespace ckptbridge::evo2 {

// The tensors fit the profile. folder holds the profiles.
void map_to_megatron(const MapperOptions& options, Profile profile, const Catalogue& catalogue,
                     const NameTable& names, const WholeTensors& tensors,
                     const plugin::ConstGraph& in, plugin::Graph& out);

}  // namespace ckptbridge::evo2
