// A .pt as a zip: its directory, and what read_torch_file makes of it.
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;
namespace torch_file = ckptbridge::torch_file;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const torch_file::MemorySource source(fuzz::bytes_of(data, size), "x.pt");
  fuzz::answers([&] {
    for (const auto& record : torch_file::read_zip_directory(source).records) {
      fuzz::require(record.offset <= size && record.size <= size - record.offset);
    }
  });
  fuzz::answers([&] {
    const auto file = torch_file::read_torch_file(source);
    for (const auto& [key, storage] : file.storages) {
      fuzz::require(storage.offset <= size && storage.size <= size - storage.offset);
    }
    for (torch_file::ValueId id = 0; id < file.values.count(); ++id) {
      fuzz::answers([&] { torch_file::read_tensor(file.values, id, "x.pt"); });
    }
    torch_file::pickle(file.values, file.root);
  });
  return 0;
}
