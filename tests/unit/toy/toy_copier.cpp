// Writes what toy.reader reads: NAME.RANK for each tensor, and toy.json. With "mistake" it is a
// wrong writer, that hides what it does from the proof of coverage: only reading back finds it.
#include "ckptbridge/plugin.hpp"
#include "core/text/json.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Json;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::Shape;

// A tensor as it will be written.
struct Item {
  std::string name;
  std::int32_t mp_rank;
  std::int32_t mp_world_size;
  Shape shape;
  Dtype dtype;
  ckb_node value;
};

class ToyCopier : public ckptbridge::plugin::Writer {
 public:
  explicit ToyCopier(const char* options) : mistake_(Json::parse(options)["mistake"].text()) {}

  void lay_out(Graph& graph, Layout& out) override {
    std::vector<Item> items = items_of(graph);
    make_mistake(graph, items);
    Json toy = {{"storages", Json::array()}, {"tensors", Json::array()}};
    std::int32_t world = 1;
    for (const Item& item : items) {
      std::uint64_t size = ckptbridge::item_size(item.dtype);
      for (const std::int64_t n : item.shape) size *= static_cast<std::uint64_t>(n);
      const std::string file = item.name + "." + std::to_string(item.mp_rank);
      out.put_value(out.add_file(file, size), 0, item.value);
      toy["storages"].push_back({{"file", file}, {"offset", 0}, {"size", size}});
      toy["tensors"].push_back({{"name", item.name},
                                {"mp_rank", item.mp_rank},
                                {"mp_world_size", item.mp_world_size},
                                {"file", file},
                                {"offset", 0},
                                {"dtype", ckptbridge::dtype_name(item.dtype)},
                                {"shape", item.shape}});
      world = item.mp_world_size;
    }
    toy["mp_world_size"] = std::to_string(world);
    const std::string text = toy.dump();
    out.put_bytes(out.add_file("toy.json", text.size()), 0, std::as_bytes(std::span(text)));
  }

 private:
  static std::vector<Item> items_of(const Graph& graph) {
    std::vector<Item> items;
    const auto in = graph.view();
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const auto tensor = in.tensor(i);
      items.push_back({std::string(tensor.name), tensor.mp_rank, tensor.mp_world_size,
                       Shape(tensor.shape.begin(), tensor.shape.end()), tensor.dtype,
                       tensor.value});
    }
    return items;
  }

  void make_mistake(Graph& graph, std::vector<Item>& items) const {
    Item& first = items.front();
    if (mistake_ == "swap") std::swap(first.value, items.back().value);
    if (mistake_ == "repeat") {
      graph.drop(items.back().value, "hidden");
      items.back().value = first.value;
    }
    if (mistake_ == "forget") {
      graph.drop(first.value, "hidden");
      items.erase(items.begin());
    }
    if (mistake_ == "truncate") {
      const std::int64_t rows = first.shape[0];
      graph.drop(graph.slice(first.value, 0, rows - 1, rows), "hidden");
      first.value = graph.slice(first.value, 0, 0, rows - 1);
      first.shape[0] = rows - 1;
    }
    if (mistake_ == "round") {
      first.value =
          graph.cast(graph.cast(first.value, ckptbridge::kBFloat16), ckptbridge::kFloat32);
    }
    if (mistake_ == "flip") flip(graph, first);
  }

  // The last element becomes another one; the rest stays.
  static void flip(Graph& graph, Item& item) {
    std::int64_t count = 1;
    for (const std::int64_t n : item.shape) count *= n;
    const ckb_node flat = graph.reshape(item.value, Shape{count});
    graph.drop(graph.slice(flat, 0, count - 1, count), "hidden");
    const std::vector<std::byte> other(ckptbridge::item_size(item.dtype), std::byte{1});
    const ckb_node parts[] = {graph.slice(flat, 0, 0, count - 1),
                              graph.add_constant(item.dtype, Shape{1}, other)};
    item.value = graph.reshape(graph.concat(parts, 0), item.shape);
  }

  std::string mistake_;
};

}  // namespace

CKPTBRIDGE_WRITER(ToyCopier, "toy.copier", "1")
