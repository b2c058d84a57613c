// Reads a pickle of any protocol, 0 to 5, into values. Runs nothing and constructs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

struct UnpickledValue {
  ValueId root;
  std::uint64_t size;  // bytes of data up to and including STOP; others may follow
};

// Adds the pickle at the start of data to values. Memory stays proportional to data.
//
// Bytes, bytearrays and sets are the kinds of that name however the protocol spells them; module
// names are those of Python 3 and today's torch (see names.h). Throws CKB_CORRUPT with name and the
// byte's position; CKB_UNSUPPORTED for extension codes and out-of-band buffers.
UnpickledValue unpickle(Values& values, std::span<const std::byte> data, const std::string& name);

}  // namespace ckptbridge::torch_file
