// make_zero3 FOLDER PROFILES SIZE MP DP [--extra]: a ZeRO-3 checkpoint of an Evo2 model size as a
// run on MP * DP processes saves it, in sparse files: headers and pickles are true, tensors are
// holes.
// --extra adds the extra states of fp8 kernels, one small tensor for each linear layer.
#include <string>

#include <fmt/format.h>

#include "plugins/evo2/expected.h"
#include "tests/unit/flows/zero3_files.h"

namespace ckptbridge {
namespace {

bool is_buffer(const std::string& name) {
  return name.ends_with("filter.decay") || name.ends_with("filter.t") || name.ends_with("inv_freq");
}

Zero3Files files_of(const std::string& profiles, const std::string& size, int mp, int dp,
                    bool extra) {
  const evo2::Catalogue catalogue(profiles);
  const evo2::NameTable names(profiles, catalogue.fields());
  Zero3Files files;
  files.dp_world = dp;
  files.mp_world = mp;
  files.groups.resize(2);  // as savanna: with weight decay, and without
  for (const evo2::Source& source : evo2::expected(catalogue.find(size), names).sources) {
    if (!source.equals.empty()) continue;
    plugin::Shape shape(source.shape.begin(), source.shape.end());
    const auto dim = names.find(source.name)->partition_dim;
    if (dim) shape[static_cast<std::size_t>(*dim)] /= mp;
    if (is_buffer(source.name)) {
      files.buffers.push_back({source.name, shape});
    } else {
      files.groups[shape.size() == 1 ? 1 : 0].push_back({source.name, shape});
    }
    const bool is_linear = source.name.find(".mlp.") != std::string::npos ||
                           source.name.find("mixer.dense") != std::string::npos;
    if (extra && is_linear && source.name.ends_with(".weight")) {
      files.extra_states.push_back(source.name.substr(0, source.name.rfind('.')) + "._extra_state");
    }
  }
  return files;
}

}  // namespace
}  // namespace ckptbridge

int main(int argc, char** argv) {
  if (argc < 6) {
    fmt::print(stderr, "usage: make_zero3 FOLDER PROFILES SIZE MP DP [--extra]\n");
    return 2;
  }
  try {
    ckptbridge::files_of(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]), argc > 6)
        .write(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "make_zero3: {}\n", error.what());
    return 1;
  }
  return 0;
}
