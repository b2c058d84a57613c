// Joins the ranks of each tensor along dim, and splits the whole into mp-size ranks again. A tensor
// whose name begins with "same" is replicated: rank 0 is kept, the others must equal it.
#include <map>

#include "ckptbridge/plugin.hpp"
#include "core/text/json.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Json;
using ckptbridge::plugin::ConstGraph;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Shape;
using ckptbridge::plugin::TensorView;

class ToyResharder : public ckptbridge::plugin::Transform {
 public:
  explicit ToyResharder(const char* options) {
    const Json given = Json::parse(options);
    dim_ = given["dim"].get<std::uint32_t>();
    mp_size_ = given["mp-size"].get<std::int32_t>();
    forget_ = given["forget"].text();
    drop_ = given["drop"].text();
    warn_ = given["warn"].get<bool>();
    if (!given["cast"].get<std::string>().empty()) {
      ckptbridge::parse_dtype(given["cast"].get<std::string>(), cast_);
    }
  }

  void rewrite(const ConstGraph& in, Graph& out) override {
    std::map<std::string, std::vector<TensorView>> ranks;
    std::vector<std::string> order;
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const TensorView tensor = in.tensor(i);
      auto& shards = ranks[std::string(tensor.name)];
      if (shards.empty()) order.emplace_back(tensor.name);
      shards.push_back(tensor);
    }
    for (const std::string& name : order) {
      if (name == forget_) continue;
      reshard(name, ranks[name], out);
    }
    out.set_property("names", "toy");
    out.set_property("mp_world_size", std::to_string(mp_size_));
  }

 private:
  void reshard(const std::string& name, const std::vector<TensorView>& shards, Graph& out) const {
    Shape shape(shards[0].shape.begin(), shards[0].shape.end());
    const bool replicated = name.starts_with("same");
    std::vector<ckb_node> values;
    std::int64_t size = 0;
    for (const TensorView& shard : shards) {
      values.push_back(shard.value);
      if (!replicated) size += shard.shape[dim_];
      if (replicated && shard.mp_rank > 0) {
        out.expect_equal(shards[0].value, shard.value,
                         name + ": rank " + std::to_string(shard.mp_rank), warn_);
      }
    }
    if (shards[0].name == drop_) return out.drop(values[0], "dropped as asked");
    ckb_node whole = replicated ? values[0] : out.concat(values, dim_);
    Dtype dtype = shards[0].dtype;
    if (cast_.bits != 0) whole = out.cast(whole, dtype = cast_);
    for (std::int32_t rank = 0; rank < mp_size_; ++rank) {
      ckb_node value = whole;
      if (!replicated) {
        shape[dim_] = size / mp_size_;
        value = out.slice(whole, dim_, rank * shape[dim_], (rank + 1) * shape[dim_]);
      }
      out.add_tensor({.name = name, .value = value, .mp_rank = rank, .mp_world_size = mp_size_},
                     shape, dtype);
    }
  }

  std::uint32_t dim_ = 0;
  std::int32_t mp_size_ = 1;
  std::string forget_;
  std::string drop_;  // a replicated tensor
  bool warn_ = false;
  Dtype cast_{};
};

}  // namespace

CKPTBRIDGE_TRANSFORM(ToyResharder, "toy.resharder", "1")
