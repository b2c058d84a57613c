// Reads a toy checkpoint: toy.json, which says what lies where in the files beside it.
//
//   {"storages": [{"file", "offset", "size"}],                 declared, in this order
//    "tensors": [{"name", "mp_rank", "mp_world_size", "file", "offset", "dtype", "shape",
//                 "strides"?, "flat"?, "permute"?, "tied_to"?, "role"?}],
//    "drop_untouched": reason?,
//    "names": whose names they are?}
//
// flat: the leaf is that many elements in a row, of which the first are the tensor; the rest is
// dropped as padding.
#include <map>
#include <string>

#include "ckptbridge/plugin.hpp"
#include "core/text/json.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::Json;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Shape;

class ToyReader : public ckptbridge::plugin::Reader {
 public:
  static int probe(const char*) { return 100; }

  ToyReader(const char*, const char* options)
      : throws_(Json::parse(options).value("throw", false).get<bool>()) {}

  void read_graph(Graph& out) override {
    if (throws_) throw 42;
    const ckb_file index = out.open_file("toy.json");
    std::string text(out.file_size(index), '\0');
    out.read_file(index, 0, std::as_writable_bytes(std::span(text)));
    const Json toy = Json::parse(text);
    for (const Json& storage : toy["storages"]) {
      out.add_storage(open(out, storage), number(storage, "offset"), number(storage, "size"));
    }
    for (const Json& tensor : toy["tensors"]) add(out, tensor);
    for (const Json& storage : toy["storages"]) {
      if (!toy.contains("drop_untouched")) break;
      out.drop_untouched(open(out, storage), number(storage, "offset"), number(storage, "size"),
                         toy["drop_untouched"].text());
    }
    out.set_property("names", toy.value("names", "toy").text());
    out.set_property("mp_world_size", toy.value("mp_world_size", "1").text());
  }

 private:
  static std::uint64_t number(const Json& item, const char* name) {
    return item[name].get<std::uint64_t>();
  }

  static ckb_file open(Graph& out, const Json& item) {
    return out.open_file(item["file"].get<std::string>());
  }

  void add(Graph& out, const Json& tensor) {
    const std::string& name = tensor["name"].text();
    Dtype dtype{};
    if (!ckptbridge::parse_dtype(tensor["dtype"].get<std::string>(), dtype)) {
      throw Error(CKB_CORRUPT, name + ": no dtype");
    }
    Shape shape = tensor["shape"].get<Shape>();
    ckb_node value = 0;
    if (tensor.contains("tied_to")) {
      value = values_.at(tensor["tied_to"].text());
    } else {
      const Shape strides = tensor.value("strides", Json::array()).get<Shape>();
      const Shape flat{tensor.value("flat", 0).get<std::int64_t>()};
      const bool padded = tensor.contains("flat");
      value = out.add_extent(open(out, tensor), number(tensor, "offset"), dtype,
                             padded ? flat : shape, strides);
      if (padded) {
        std::int64_t count = 1;
        for (const std::int64_t size : shape) count *= size;
        out.drop(out.slice(value, 0, count, flat[0]), "padding");
        value = out.reshape(out.slice(value, 0, 0, count), shape);
      }
      if (tensor.contains("permute")) {
        const auto dims = tensor["permute"].get<std::vector<std::uint32_t>>();
        value = out.permute(value, dims);
        Shape permuted;
        for (const std::uint32_t dim : dims) permuted.push_back(shape[dim]);
        shape = permuted;
      }
    }
    values_[name] = value;
    out.add_tensor({.name = name,
                    .role = tensor.value("role", "param").text(),
                    .value = value,
                    .mp_rank = tensor.value("mp_rank", 0).get<std::int32_t>(),
                    .mp_world_size = tensor.value("mp_world_size", 1).get<std::int32_t>()},
                   shape, dtype);
  }

  bool throws_;
  std::map<std::string, ckb_node> values_;
};

}  // namespace

CKPTBRIDGE_READER(ToyReader, "toy.reader", "1")
