// A .pt as one stream, from before torch 1.6.
#include "plugins/torch_file/legacy_file.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"
#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;
namespace torch_file = ckptbridge::torch_file;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const torch_file::MemorySource source(fuzz::bytes_of(data, size), "x.pt");
  fuzz::answers([&] {
    const auto file = torch_file::read_legacy_file(source);
    for (const auto& [key, storage] : file.storages) {
      fuzz::require(storage.offset <= size && storage.size <= size - storage.offset);
    }
    for (const auto& [key, view] : file.views) {
      const auto& home = file.storages.at(view.storage);
      fuzz::require(view.extent.offset >= home.offset &&
                    view.extent.offset + view.extent.size <= home.offset + home.size);
    }
    for (torch_file::ValueId id = 0; id < file.values.count(); ++id) {
      fuzz::answers([&] { torch_file::read_tensor(file.values, id, "x.pt"); });
    }
    torch_file::pickle(file.values, file.root);
  });
  return 0;
}
