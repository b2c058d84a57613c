// The tensors of a conversion by layer, for the page of a plan.
#pragma once

#include <string>
#include <string_view>

#include "core/conversion.h"
#include "core/graph/trace.h"

namespace ckptbridge::cli {

// The part of a tensor's name that its layer shares: up to the first number, that included; without
// one, all but the last word. "decoder.layers.12", "decoder.final_norm".
std::string_view layer_of(std::string_view name);

// A folded table for each layer of the output, and one of what is not written: for each name its
// dtype and shape, what it is made of, and where it goes.
std::string layer_tables(const Conversion& run, const Trace& all);

}  // namespace ckptbridge::cli
