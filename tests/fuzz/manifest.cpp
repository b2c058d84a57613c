// The manifest of a plugin.
#include "core/plugin_host/manifest.h"

#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::answers([&] { ckptbridge::parse_manifest(fuzz::text_of(data, size), "x.json"); });
  return 0;
}
