// pt-writer: one plain state dict, as torch.save(model.state_dict()) writes it.
//
//   model.pt   a dict name -> tensor, in the order of the graph; each tensor is contiguous, without
//              requires_grad, and alone in its storage unless tied
// torch.load(weights_only=True, mmap=True) of torch 2.1 and later reads it, and map_location="cpu"
// is not needed. What the dict cannot hold is dropped: every value in it is a tensor.
#include <map>

#include "plugins/state_dict/plain_tensors.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"

namespace {

using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::state_dict::PlainTensor;
namespace tf = ckptbridge::torch_file;

class PtWriter : public ckptbridge::plugin::Writer {
 public:
  explicit PtWriter(const char*) {}

  void lay_out(Graph& graph, Layout& out) override {
    tf::Values values;
    const tf::ValueId root = values.dict();
    std::map<ckb_node, std::string> keys;
    std::vector<ckb_node> storages;
    std::vector<std::uint64_t> sizes;
    for (const PlainTensor& tensor : ckptbridge::state_dict::plain_tensors(graph)) {
      const auto [key, added] = keys.emplace(tensor.value, std::to_string(storages.size()));
      const tf::ValueId value = tf::make_tensor(values, key->second, tensor.dtype, tensor.shape);
      values.set_item(root, values.string(tensor.name), value);
      if (!added) continue;
      storages.push_back(tensor.value);
      sizes.push_back(tensor.size());
    }
    const tf::ZipLayout zip = tf::lay_out_torch_file(tf::pickle(values, root), sizes);
    tf::put_torch_file(out, out.add_file("model.pt", zip.size), 0, zip, storages);
  }
};

}  // namespace

CKPTBRIDGE_WRITER(PtWriter, "pt-writer", CKPTBRIDGE_VERSION)
