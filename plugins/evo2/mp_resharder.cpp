// mp-resharder: savanna's tensors of N model-parallel ranks become those of M.
//
//   split tensors        the ranks' shards are laid end to end along partition_dim, and cut evenly
//   replicated tensors   rank 0's; those of the other ranks must equal it
//   objects              rank 0's, on every new rank
// Which tensor is which is data: partition_dim of profiles/shared/savanna.json.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/rank_tensors.h"

namespace {

using ckptbridge::Error;
using ckptbridge::evo2::RankTensor;
using ckptbridge::evo2::Shard;
using ckptbridge::plugin::ConstGraph;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::ObjectView;
using ckptbridge::plugin::Shape;
namespace evo2 = ckptbridge::evo2;
namespace plugin = ckptbridge::plugin;

constexpr char kId[] = "mp-resharder";
constexpr std::int64_t kMostRanks = 4096;

struct Options {
  explicit Options(const char* text) {
    const ckptbridge::Json given = ckptbridge::Json::parse(text, "options");
    ckptbridge::JsonObject object(given, "options");
    ranks = object.integer("mp-size");
    exclude_extra = object.boolean("exclude-extra");
    take_first = object.string("on-mismatch") == "first";
    if (ranks < 1 || ranks > kMostRanks) {
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("mp-size: {} is not a number of ranks, expected 1 to {}", ranks, kMostRanks));
    }
  }

  std::int64_t ranks = 0;
  bool exclude_extra = false;
  bool take_first = false;
};

// The shards of N ranks, and of M, along one dimension.
struct Split {
  std::uint32_t dim;
  std::int64_t old_size;  // of each old shard
  std::int64_t new_size;
};

Split split_of(const RankTensor& tensor, int dim, std::int64_t ranks) {
  const Shape& shape = tensor.shards.front().shape;
  const auto at = static_cast<std::size_t>(dim);
  if (at >= shape.size()) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: has {} dimensions, so dimension {} cannot be split over ranks",
                            tensor.name, shape.size(), dim),
                {.tensor = tensor.name});
  }
  std::int64_t whole = 0;
  if (__builtin_mul_overflow(shape[at], static_cast<std::int64_t>(tensor.shards.size()), &whole)) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} shards of {} rows are too many", tensor.name,
                            tensor.shards.size(), shape[at]),
                {.tensor = tensor.name});
  }
  if (whole % ranks != 0) {
    const char* const unit = dim == 0 ? "rows" : dim == 1 ? "columns" : "entries";
    throw Error(CKB_UNSUPPORTED,
                fmt::format("{}: {} {} cannot be split over {} ranks (partition dim {})",
                            tensor.name, whole, unit, ranks, dim),
                {.tensor = tensor.name});
  }
  return {static_cast<std::uint32_t>(dim), shape[at], whole / ranks};
}

class Resharder {
 public:
  Resharder(const Options& options, const evo2::NameTable& names, Graph& out)
      : options_(options), names_(names), out_(out) {}

  // Adds the tensors of all new ranks; nothing, if one of them cannot be split.
  void reshard(const std::vector<RankTensor>& tensors) {
    std::vector<std::vector<ckb_node>> values;
    values.reserve(tensors.size());
    for (const RankTensor& tensor : tensors) values.push_back(new_values(tensor));
    for (std::int64_t rank = 0; rank < options_.ranks; ++rank) {
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        add_tensor(tensors[i], values[i][static_cast<std::size_t>(rank)], rank);
      }
    }
  }

  void add_objects(const ConstGraph& in) {
    const std::vector<ObjectView> objects = evo2::objects_of(in);
    for (std::int64_t rank = 0; rank < options_.ranks; ++rank) {
      for (const ObjectView& object : objects) {
        if (object.mp_rank != 0 || (options_.exclude_extra && evo2::is_extra_state(object.name))) {
          continue;
        }
        out_.add_object(object.name, std::string(object.kind).c_str(), object.data, object.storages,
                        static_cast<std::int32_t>(rank));
      }
    }
    drop_objects(objects);
  }

 private:
  // By new rank. The same shards become the same nodes, so that tied tensors stay tied.
  const std::vector<ckb_node>& new_values(const RankTensor& tensor) {
    const auto dim = names_.find(tensor.name)->partition_dim;
    std::vector<ckb_node> old;
    old.reserve(tensor.shards.size());
    for (const Shard& shard : tensor.shards) old.push_back(shard.value);
    const auto [it, added] = values_.try_emplace({old, dim.value_or(CKB_REPLICATED)});
    if (dim) {
      const Split split = split_of(tensor, *dim, options_.ranks);
      for (std::int64_t rank = 0; added && rank < options_.ranks; ++rank) {
        it->second.push_back(cut(old, split, rank * split.new_size));
      }
    } else if (added) {
      it->second.assign(static_cast<std::size_t>(options_.ranks), old.front());
      expect_replicas(tensor);
    }
    return it->second;
  }

  // One new shard, from an entry of the whole on.
  ckb_node cut(const std::vector<ckb_node>& old, const Split& split, std::int64_t begin) {
    if (split.old_size == 0) return old.front();
    std::vector<ckb_node> parts;
    const std::int64_t end = begin + split.new_size;
    for (std::int64_t at = begin; at < end;) {
      const std::int64_t number = at / split.old_size;
      const std::int64_t from = at - number * split.old_size;
      const std::int64_t to = std::min(split.old_size, from + end - at);
      const ckb_node shard = old[static_cast<std::size_t>(number)];
      const bool is_whole = from == 0 && to == split.old_size;
      parts.push_back(is_whole ? shard : out_.slice(shard, split.dim, from, to));
      at += to - from;
    }
    return parts.size() == 1 ? parts.front() : out_.concat(parts, split.dim);
  }

  void expect_replicas(const RankTensor& tensor) {
    const ckb_node kept = tensor.shards.front().value;
    for (std::size_t rank = 1; rank < tensor.shards.size(); ++rank) {
      out_.expect_equal(kept, tensor.shards[rank].value,
                        fmt::format("{}: rank {}", tensor.name, rank), options_.take_first);
    }
  }

  void add_tensor(const RankTensor& tensor, ckb_node value, std::int64_t rank) {
    const auto dim = names_.find(tensor.name)->partition_dim;
    Shape shape = tensor.shards.front().shape;
    std::uint32_t flags = tensor.shards.front().flags;
    if (dim) {
      shape[static_cast<std::size_t>(*dim)] = split_of(tensor, *dim, options_.ranks).new_size;
      // What the Python script joins and cuts is no nn.Parameter any more.
      flags &= ~std::uint32_t{CKB_IS_PARAMETER};
    }
    out_.add_tensor({.name = tensor.name,
                     .role = tensor.role,
                     .value = value,
                     .mp_rank = static_cast<std::int32_t>(rank),
                     .mp_world_size = static_cast<std::int32_t>(options_.ranks),
                     .partition_dim = dim.value_or(CKB_REPLICATED),
                     .flags = flags},
                    shape, tensor.shards.front().dtype);
  }

  void drop_objects(const std::vector<ObjectView>& objects) {
    std::set<std::string_view> dropped;
    for (const ObjectView& object : objects) {
      const bool is_extra = evo2::is_extra_state(object.name);
      if (is_extra && options_.exclude_extra) {
        if (dropped.insert(object.name).second) {
          out_.drop_object(object.name, "extra state, as asked (--exclude-extra)");
        }
      } else if (object.mp_rank != 0 && dropped.insert(object.name).second) {
        out_.drop_object(object.name,
                         is_extra ? "extra state of ranks other than 0, whose own all ranks get"
                                  : "training state of ranks other than 0");
      }
    }
  }

  const Options& options_;
  const evo2::NameTable& names_;
  Graph& out_;
  std::map<std::pair<std::vector<ckb_node>, int>, std::vector<ckb_node>> values_;
};

class MpResharder : public plugin::Transform {
 public:
  explicit MpResharder(const char* options) : options_(options) {}

  void rewrite(const ConstGraph& in, Graph& out) override {
    const std::filesystem::path folder =
        std::filesystem::path(plugin::host->plugin_folder(plugin::host, kId)) / "profiles";
    const evo2::NameTable names(folder, evo2::FieldTable(folder / "shared" / "fields.json"));
    evo2::require_same_step(in);
    evo2::require_known(in, names);
    const std::vector<RankTensor> tensors = evo2::tensors_by_name(in);

    Resharder resharder(options_, names, out);
    resharder.reshard(tensors);
    resharder.add_objects(in);
    out.set_property("format", std::string(in.property("format")));
    out.set_property("names", "savanna");
    out.set_property("mp_world_size", std::to_string(options_.ranks));
  }

 private:
  Options options_;
};

}  // namespace

CKPTBRIDGE_TRANSFORM(MpResharder, "mp-resharder", CKPTBRIDGE_VERSION)
