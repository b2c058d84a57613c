// A pickle of any protocol. What was read can be written, and read again.
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/unpickler.h"
#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;
namespace torch_file = ckptbridge::torch_file;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  torch_file::Values values;
  torch_file::ValueId root = 0;
  const bool is_read = fuzz::answers([&] {
    const auto found = torch_file::unpickle(values, fuzz::bytes_of(data, size), "x.pkl");
    fuzz::require(found.size <= size);
    root = found.root;
  });
  if (!is_read) return 0;
  torch_file::describe(values, root);
  torch_file::named_globals(values);
  for (torch_file::ValueId id = 0; id < values.count(); ++id) {
    fuzz::answers([&] { torch_file::read_tensor(values, id, "x.pkl"); });
  }
  torch_file::Bytes written;
  if (!fuzz::answers([&] { written = torch_file::pickle(values, root); })) return 0;
  torch_file::Values again;
  fuzz::require(torch_file::unpickle(again, written, "x.pkl").size == written.size());
  return 0;
}
