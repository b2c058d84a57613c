#include "plugins/torch_file/names.h"

namespace ckptbridge::torch_file {
namespace {

struct Rename {
  std::string_view from_module;
  std::string_view from_name;
  std::string_view to_module;
  std::string_view to_name;
};

// Those of Python's names that occur in checkpoints. What is not listed stays as it is, and is
// mapped by the Python that reads our output.
constexpr Rename kNames[] = {
    {"__builtin__", "long", "builtins", "int"},
    {"__builtin__", "unicode", "builtins", "str"},
    {"__builtin__", "xrange", "builtins", "range"},
    {"__builtin__", "reduce", "functools", "reduce"},
    {"UserDict", "IterableUserDict", "collections", "UserDict"},
    {"UserDict", "UserDict", "collections", "UserDict"},
    {"UserList", "UserList", "collections", "UserList"},
    {"UserString", "UserString", "collections", "UserString"},
};

struct ModuleRename {
  std::string_view from;
  std::string_view to;
};

constexpr ModuleRename kModules[] = {
    {"__builtin__", "builtins"},       {"copy_reg", "copyreg"},       {"exceptions", "builtins"},
    {"torch.tensor", "torch._tensor"}, {"numpy._core", "numpy.core"},
};

constexpr std::string_view kNumpyCore = "numpy._core.";

}  // namespace

OwnedName current_name(std::string_view module, std::string_view name) {
  for (const Rename& rename : kNames) {
    if (rename.from_module == module && rename.from_name == name) {
      return {std::string(rename.to_module), std::string(rename.to_name)};
    }
  }
  for (const ModuleRename& rename : kModules) {
    if (rename.from == module) return {std::string(rename.to), std::string(name)};
  }
  if (module.starts_with(kNumpyCore)) {
    return {"numpy.core." + std::string(module.substr(kNumpyCore.size())), std::string(name)};
  }
  return {std::string(module), std::string(name)};
}

std::string_view python2_module(std::string_view module) {
  if (module == "builtins") return "__builtin__";
  if (module == "copyreg") return "copy_reg";
  return module;
}

}  // namespace ckptbridge::torch_file
