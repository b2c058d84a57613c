// What the user can ask of evo2-mapper.
#pragma once

#include <optional>
#include <string>

#include "ckptbridge/dtype.hpp"

namespace ckptbridge::evo2 {

struct MapperOptions {
  std::string model_size;  // "auto": the only one that fits
  std::string profile;     // a file in its place; "": none
  std::optional<Dtype> params_dtype;
  std::string dtype_name;  // as the user gave it
  bool keep_fp32_filters = false;
  bool no_te = false;
  bool use_subquadratic_ops = false;

  // Filters keep fp32 where asked for; everything else is params_dtype, or else fallback.
  Dtype dtype_of(bool is_filter, Dtype fallback) const {
    if (is_filter && keep_fp32_filters) return kFloat32;
    return params_dtype.value_or(fallback);
  }
};

}  // namespace ckptbridge::evo2
