// The context of a NeMo2 checkpoint: its configuration, as NeMo loads it (io.json) and for people
// to read (model.yaml).
#pragma once

#include <filesystem>
#include <string>

#include "plugins/evo2/profile.h"

namespace ckptbridge::evo2 {

struct Context {
  std::string io_json;
  std::string model_yaml;
};

// As NeMo 2.6.2 writes them for a configuration object of the profile's class, with the profile's
// overrides as explicit arguments. folder holds shared/nemo2_context.json; save_ckpt_format is
// "torch_dist" or "zarr". Throws UNSUPPORTED for a profile without a class.
Context make_context(const Profile& profile, const FieldTable& fields,
                     const std::filesystem::path& folder, const std::string& save_ckpt_format);

}  // namespace ckptbridge::evo2
