// The .metadata of PyTorch's distributed format. What was read can be written, and is the same
// then.
#include "plugins/nemo2/dcp_metadata.h"

#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;
namespace nemo2 = ckptbridge::nemo2;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nemo2::DcpMetadata found;
  if (!fuzz::answers(
          [&] { found = nemo2::read_dcp_metadata(fuzz::bytes_of(data, size), ".metadata"); })) {
    return 0;
  }
  fuzz::answers([&] {
    const auto written = nemo2::dcp_metadata(found.tensors, found.objects);
    const auto again = nemo2::read_dcp_metadata(written, ".metadata");
    fuzz::require(again.tensors.size() == found.tensors.size());
    fuzz::require(again.objects.size() == found.objects.size());
  });
  return 0;
}
