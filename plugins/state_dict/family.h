// Families of models that are known by the names of their tensors. Readers set the property "names"
// to what they find, and chains match on it.
#pragma once

#include <cctype>
#include <string_view>

namespace ckptbridge::state_dict {

// "savanna" for sequential.2.…, "megatron" for decoder.layers.0.… (NeMo puts module. in front),
// "vortex" for blocks.0.…; "" for a name that tells nothing.
inline std::string_view family_of(std::string_view tensor_name) {
  const auto numbered = [&](std::string_view prefix) {
    return tensor_name.starts_with(prefix) && tensor_name.size() > prefix.size() &&
           std::isdigit(static_cast<unsigned char>(tensor_name[prefix.size()]));
  };
  if (numbered("sequential.")) return "savanna";
  if (numbered("module.decoder.layers.") || numbered("decoder.layers.")) return "megatron";
  if (numbered("blocks.")) return "vortex";
  return "";
}

}  // namespace ckptbridge::state_dict
