#include "plugins/torch_file/dangerous.h"

#include <algorithm>
#include <string_view>

#include "plugins/torch_file/lookup.h"

namespace ckptbridge::torch_file {
namespace {

// Modules all of whose functions count. Source: the deny lists of picklescan 0.0.30 and of fickling
// 0.1.3, without those that occur in checkpoints.
constexpr std::string_view kModules[] = {"_aix_support",
                                         "_osx_support",
                                         "_pickle",
                                         "_posixsubprocess",
                                         "_pyrepl",
                                         "aiohttp",
                                         "asyncio",
                                         "bdb",
                                         "cProfile",
                                         "cloudpickle",
                                         "code",
                                         "codeop",
                                         "commands",
                                         "ctypes",
                                         "cffi",
                                         "dill",
                                         "distutils",
                                         "doctest",
                                         "ensurepip",
                                         "fileinput",
                                         "ftplib",
                                         "gc",
                                         "http.client",
                                         "httplib",
                                         "idlelib",
                                         "imaplib",
                                         "importlib",
                                         "inspect",
                                         "joblib",
                                         "lib2to3",
                                         "linecache",
                                         "logging.config",
                                         "marshal",
                                         "multiprocessing",
                                         "nt",
                                         "ntpath",
                                         "numpy.f2py",
                                         "numpy.testing",
                                         "os",
                                         "pdb",
                                         "pickle",
                                         "pip",
                                         "pkgutil",
                                         "platform",
                                         "poplib",
                                         "popen2",
                                         "posix",
                                         "posixpath",
                                         "profile",
                                         "pty",
                                         "pydoc",
                                         "requests",
                                         "runpy",
                                         "setuptools",
                                         "shelve",
                                         "shutil",
                                         "signal",
                                         "site",
                                         "smtplib",
                                         "socket",
                                         "socketserver",
                                         "ssl",
                                         "subprocess",
                                         "sys",
                                         "tarfile",
                                         "telnetlib",
                                         "tempfile",
                                         "test",
                                         "threading",
                                         "timeit",
                                         "torch.hub",
                                         "torch.jit",
                                         "torch.utils.cpp_extension",
                                         "trace",
                                         "unittest",
                                         "urllib.request",
                                         "urllib2",
                                         "uuid._popen",
                                         "venv",
                                         "webbrowser",
                                         "xmlrpc",
                                         "zipfile",
                                         "zipimport"};

// Single functions of modules that are harmless otherwise.
constexpr std::string_view kFunctions[] = {"builtins.__import__",
                                           "builtins.apply",
                                           "builtins.breakpoint",
                                           "builtins.compile",
                                           "builtins.delattr",
                                           "builtins.dir",
                                           "builtins.eval",
                                           "builtins.exec",
                                           "builtins.execfile",
                                           "builtins.file",
                                           "builtins.getattr",
                                           "builtins.globals",
                                           "builtins.input",
                                           "builtins.locals",
                                           "builtins.map",
                                           "builtins.filter",
                                           "builtins.open",
                                           "builtins.setattr",
                                           "builtins.vars",
                                           "functools.reduce",
                                           "io.FileIO",
                                           "io.open",
                                           "io.open_code",
                                           "_io.FileIO",
                                           "_io.open",
                                           "_io.open_code",
                                           "numpy.load",
                                           "operator.attrgetter",
                                           "operator.methodcaller",
                                           "torch.load",
                                           "torch.serialization.load",
                                           "types.CodeType",
                                           "types.FunctionType"};

// "os" and "os.path", but not "osgeo".
bool is_in(std::string_view name, std::string_view module) {
  return name.starts_with(module) && name.size() > module.size() && name[module.size()] == '.';
}

// "builtins.eval.__call__" is reached through builtins.eval.
bool is_dangerous(std::string_view name) {
  return std::any_of(std::begin(kModules), std::end(kModules),
                     [&](std::string_view module) { return is_in(name, module); }) ||
         std::any_of(std::begin(kFunctions), std::end(kFunctions), [&](std::string_view function) {
           return name == function || is_in(name, function);
         });
}

}  // namespace

std::vector<std::string> dangerous_names(const Values& values) {
  std::vector<std::string> names = named_globals(values);
  std::erase_if(names, [](const std::string& name) { return !is_dangerous(name); });
  return names;
}

std::string warning_of(const std::vector<std::string>& dangerous) {
  constexpr std::size_t kFew = 8;
  if (dangerous.empty()) return "";
  std::string text = "its pickle names ";
  for (std::size_t i = 0; i < std::min(kFew, dangerous.size()); ++i) {
    text += (i == 0 ? "" : ", ") + dangerous[i];
  }
  if (dangerous.size() > kFew) text += " and " + std::to_string(dangerous.size() - kFew) + " more";
  return text + ", which Python would run on loading it; nothing is run here";
}

}  // namespace ckptbridge::torch_file
