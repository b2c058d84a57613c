#include "cli/plugin_check/loaded.h"

#include <dlfcn.h>

#include "core/plugin_host/host.h"

namespace ckptbridge::plugin_check {

ckb_entry load_entry(const boost::filesystem::path& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Failed(dlerror());  // NOLINT(concurrency-mt-unsafe)
  const auto entry = reinterpret_cast<ckb_entry>(dlsym(handle, "ckptbridge_plugin_v1"));
  if (entry == nullptr) throw Failed(library.string() + ": exports no ckptbridge_plugin_v1");
  return entry;
}

const ckb_plugin& require_table(const Subject& subject, const ckb_host* host) {
  const ckb_plugin* plugin = load_entry(subject.manifest.library_path())(host);
  if (plugin == nullptr) throw Failed("gives no table to this host");
  return *plugin;
}

ckb_status call_guarded(const std::function<ckb_status(ckb_error*)>& body, ckb_error& error) {
  try {
    return body(&error);
  } catch (...) {
    throw Failed("an exception came out of the plugin");
  }
}

}  // namespace ckptbridge::plugin_check
