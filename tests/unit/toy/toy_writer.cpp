// Writes each tensor as NAME.RANK: its bytes and their CRC-32. What "mistake" asks for is wrong.

#include "ckptbridge/plugin.hpp"
#include "core/text/json.h"

namespace {

using ckptbridge::Json;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;

class ToyWriter : public ckptbridge::plugin::Writer {
 public:
  explicit ToyWriter(const char* options) : mistake_(Json::parse(options)["mistake"].text()) {}

  void lay_out(Graph& graph, Layout& out) override {
    const auto in = graph.view();
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const auto tensor = in.tensor(i);
      std::uint64_t size = ckptbridge::item_size(tensor.dtype);
      for (const std::int64_t n : tensor.shape) size *= static_cast<std::uint64_t>(n);
      const std::uint64_t gap = mistake_ == "hole" ? 1 : 0;
      const std::uint32_t file = out.add_file(
          std::string(tensor.name) + "." + std::to_string(tensor.mp_rank), size + 4 + gap);
      out.put_value(file, 0, tensor.value);
      out.put_crc32(file, size + gap, 0, size);
      if (mistake_ == "overlap") out.put_zeros(file, size - 1, 2);
    }
    if (mistake_ == "escape") out.add_file("../outside", 0);
  }

 private:
  std::string mistake_;
};

}  // namespace

CKPTBRIDGE_WRITER(ToyWriter, "toy.writer", "1")
