// The .zarray of a tensor, which decides what files are opened and what they must hold. What was
// read can be written, and is the same then.
#include <algorithm>

#include "plugins/nemo2/zarr_array.h"

#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;
namespace nemo2 = ckptbridge::nemo2;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  nemo2::ZarrArray array;
  if (!fuzz::answers([&] { array = nemo2::parse_zarray(text, ".zarray"); })) return 0;
  fuzz::require(array.shape.size() == array.chunks.size());
  const auto again = nemo2::parse_zarray(nemo2::zarray_text(array, "w"), ".zarray");
  fuzz::require(again.dtype == array.dtype && again.shape == array.shape &&
                again.chunks == array.chunks);
  // One without elements has no chunks.
  if (std::ranges::count(array.shape, 0) > 0) return 0;
  fuzz::require(array.chunk_size() > 0);
  fuzz::require(array.strides().size() == array.shape.size());
  const auto grid = array.grid();
  fuzz::require(std::ranges::all_of(grid, [](std::int64_t count) { return count > 0; }));
  std::vector<std::int64_t> position(grid.size(), 0);
  int chunks = 0;
  do {
    const std::string name = array.chunk_name(position);
    fuzz::require(name.find_first_not_of("0123456789./") == std::string::npos);
    fuzz::require(name.find("..") == std::string::npos && name.front() != '/');
  } while (++chunks < 100 && nemo2::advance(position, grid));
  return 0;
}
