// Names of modules and classes that changed, so that each has one here.
//
// Protocol 2 writes Python 2's names ("__builtin__"), which Python 3 maps back on reading
// (Lib/_compat_pickle.py). torch maps torch.tensor to torch._tensor; numpy 2 renamed numpy.core to
// numpy._core, and reads both.
#pragma once

#include <string>

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

struct OwnedName {
  std::string module;
  std::string name;
};

// Today's name of what a pickle names; numpy's modules keep the old name, which numpy 1 knows too.
OwnedName current_name(std::string_view module, std::string_view name);

// The module as protocol 2 spells it: "__builtin__" for "builtins".
std::string_view python2_module(std::string_view module);

}  // namespace ckptbridge::torch_file
