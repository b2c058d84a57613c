// The configuration that savanna saves beside a checkpoint.
//
//   <folder of the rank files>/configs/*.yml     the user's own YAML files, as they were
// Source: savanna/checkpointing.py, as GPT-NeoX before it; .yaml and .json are taken too.
#pragma once

#include <string>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::deepspeed {

// Adds each as an object "configs/NAME" of kind "bytes", by name. path is the reader's input, as
// the host opens files below it; folder the one of the rank files. Files over 1 MiB, and more than
// 64, are no configuration and are left alone.
void add_config_files(plugin::Graph& out, const std::string& path, const std::string& folder);

}  // namespace ckptbridge::deepspeed
