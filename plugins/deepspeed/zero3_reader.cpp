// zero3-reader: savanna's and DeepSpeed's checkpoints of ZeRO stage 3, of any numbers of data- and
// model-parallel ranks.
//
// Files: shard_files.h. What they hold: shard_state.h. Where in them a parameter lies:
// flat_groups.h. Of the optimizer files, the masters of the parameters are read, and Adam's moments
// are not. Of what all data-parallel ranks hold alike (buffers, extra state, training state),
// rank 0's is taken.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/plugin.hpp"
#include "plugins/deepspeed/config_files.h"
#include "plugins/deepspeed/shard_files.h"
#include "plugins/deepspeed/shard_state.h"
#include "plugins/state_dict/family.h"
#include "plugins/torch_file/lookup.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::deepspeed::Agreement;
using ckptbridge::deepspeed::FlatGroup;
using ckptbridge::deepspeed::Groups;
using ckptbridge::deepspeed::ParamShape;
using ckptbridge::deepspeed::Rank;
using ckptbridge::deepspeed::ShardFiles;
using ckptbridge::deepspeed::StateFile;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Shape;
namespace ds = ckptbridge::deepspeed;
namespace plugin = ckptbridge::plugin;
namespace tf = ckptbridge::torch_file;

constexpr char kOptimizerState[] = "optimizer state (Adam's moments and steps), which is not read";
constexpr char kOtherDataRanks[] = "buffers and training state of data-parallel ranks other than 0";
constexpr char kOtherModelRanks[] = "model-parallel ranks that were not asked for";
constexpr char kCopies[] = "half-precision copies of parameters, whose masters are taken";
constexpr char kFrozen[] = "frozen parameters, as asked (--exclude-frozen-parameters)";

struct Options {
  explicit Options(const nlohmann::json& given)
      : tag(given.value("tag", "")),
        exclude_frozen(given.at("exclude-frozen-parameters")),
        expect_mp_size(given.value("expect-mp-size", std::int64_t{0})),
        rank_start(given.value("rank-start", std::int64_t{0})),
        rank_end(given.value("rank-end", std::int64_t{-1})),
        explain(given.at("explain")) {}

  std::string tag;
  bool exclude_frozen;
  std::int64_t expect_mp_size;  // 0: any
  std::int64_t rank_start;
  std::int64_t rank_end;  // inclusive; -1: the last
  bool explain;
};

void stop_if_asked() {
  if (plugin::host->cancelled(plugin::host)) throw Error(CKB_CANCELLED, "stopped as asked");
}

// The flat tensors of all data-parallel ranks that together are one or several groups of
// parameters.
struct FlatTensors {
  std::vector<ckb_node> nodes;  // by data-parallel rank
  std::uint32_t flags = 0;
  Dtype dtype{};
};

// One model-parallel rank in the making.
class RankBuilder {
 public:
  RankBuilder(Graph& out, const Options& options, std::int64_t dp_world, int rank, int mp_world)
      : out_(out), options_(options), dp_world_(dp_world), rank_(rank), mp_world_(mp_world) {}

  void add_model_file(std::unique_ptr<StateFile> file, Agreement& agreement) {
    ds::require_agreement(agreement, *file);
    const Groups groups = ds::param_shapes_of(*file);
    const std::vector<ParamShape> frozen = ds::frozen_shapes_of(*file);
    const bool is_first = first_ == nullptr;
    if (is_first) {
      groups_ = groups;
      frozen_ = frozen;
      fragments_.resize(frozen.size());
    } else {
      ds::require_same_shapes(*file, groups, first_->name(), groups_);
      ds::require_same_shapes(*file, {frozen}, first_->name(), {frozen_});
    }
    if (options_.exclude_frozen) {
      if (const auto dict = tf::find(file->values(), file->root(), "frozen_param_fragments")) {
        file->leave_out(*dict, kFrozen);
      }
    } else {
      add_fragments(*file);
    }
    if (is_first) {
      first_ = std::move(file);
    } else {
      file->drop_rest(kOtherDataRanks);
    }
  }

  void add_optimizer_file(StateFile& file, Agreement& agreement) {
    ds::require_agreement(agreement, file);
    agreement.require("partition_count (dp_world_size)",
                      std::to_string(ds::partition_count_of(file)), file.name());
    const std::vector<tf::Tensor> flat = ds::flat_groups_of(file);
    agreement.require("the number of flat groups", std::to_string(flat.size()), file.name());
    if (optimizers_.empty()) make_groups(flat.size());
    optimizers_.push_back(file.name());
    for (std::size_t i = 0; i < flat.size(); ++i) {
      FlatTensors& tensors = flat_[flat_.size() == flat.size() ? i : 0];
      require_size(file, flat, i);
      agreement.require(fmt::format("the dtype of flat group {}", i),
                        ckptbridge::dtype_name(flat[i].dtype), file.name());
      tensors.nodes.push_back(file.extent(flat[i]));
      tensors.dtype = flat[i].dtype;
      if (flat[i].requires_grad) tensors.flags |= CKB_REQUIRES_GRAD;
    }
    file.drop_rest(kOptimizerState);
  }

  const StateFile& first() const { return *first_; }

  // Adds all to the graph, in the order in which the Python script has it: buffers, extra state,
  // frozen parameters, the others in the order of the groups, shared ones. Gives the value of the
  // property "names".
  std::string_view finish(const std::vector<std::pair<std::string, std::string>>& shared) {
    for (const auto& group : groups_) {
      for (const ParamShape& param : group) known_.insert(param.name);
    }
    for (const ParamShape& param : frozen_) known_.insert(param.name);
    for (const auto& [name, kept] : shared) known_.insert(name);
    add_module();
    add_frozen();
    for (std::size_t i = 0; i < layouts_.size(); ++i) add_group(layouts_[i], flat_[i], i);
    add_shared(shared);
    add_objects();
    first_->drop_rest("storages that no tensor shows");
    std::string_view names;
    for (const auto& [name, param] : params_) {
      if (names.empty()) names = ckptbridge::state_dict::family_of(name);
    }
    return names;
  }

 private:
  struct Param {
    ckb_node value;
    Shape shape;
    Dtype dtype;
    std::uint32_t flags;
  };

  void add_fragments(StateFile& file) {
    const auto fragments = ds::frozen_fragments_of(file, frozen_, dp_world_);
    for (std::size_t i = 0; i < fragments.size(); ++i) {
      FlatTensors& frozen = fragments_[i];
      if (frozen.nodes.empty()) frozen.dtype = fragments[i].dtype;
      if (frozen.dtype != fragments[i].dtype) {
        throw Error(CKB_CORRUPT,
                    fmt::format("{}: {} is {}, but {} in {}", file.name(), frozen_[i].name,
                                ckptbridge::dtype_name(fragments[i].dtype),
                                ckptbridge::dtype_name(frozen.dtype), first_->name()));
      }
      frozen.nodes.push_back(file.extent(fragments[i]));
      if (fragments[i].requires_grad) frozen.flags |= CKB_REQUIRES_GRAD;
    }
  }

  // One for each flat group; where param_shapes has another number of groups than there are flat
  // tensors (DeepSpeed before 0.4), the rank's flat tensors follow each other as one group.
  void make_groups(std::size_t flat_tensors) {
    if (groups_.size() == flat_tensors) {
      for (const auto& group : groups_) layouts_.emplace_back(group, dp_world_);
    } else {
      std::vector<ParamShape> all;
      for (const auto& group : groups_) all.insert(all.end(), group.begin(), group.end());
      layouts_.emplace_back(std::move(all), dp_world_);
    }
    flat_.resize(layouts_.size());
  }

  // The flat tensor has as many elements as the parameters need; so have all together, where they
  // are one group.
  void require_size(const StateFile& file, const std::vector<tf::Tensor>& flat,
                    std::size_t i) const {
    std::uint64_t count = flat[i].count();
    std::string what = fmt::format("flat group {} has", i);
    if (layouts_.size() != flat.size()) {
      if (i > 0) return;
      count = 0;
      for (const tf::Tensor& tensor : flat) count += tensor.count();
      what = fmt::format("its {} flat groups have", flat.size());
    }
    const auto need =
        static_cast<std::uint64_t>(layouts_[layouts_.size() == flat.size() ? i : 0].size());
    if (count == need) return;
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} {} elements, the parameters need {} (param_shapes "
                            "of {}, {} data-parallel ranks)",
                            file.name(), what, count, need, first_->name(), dp_world_));
  }

  void add_tensor(const std::string& name, const char* role, const Param& param) {
    out_.add_tensor({.name = name,
                     .role = role,
                     .value = param.value,
                     .mp_rank = rank_,
                     .mp_world_size = mp_world_,
                     .flags = param.flags},
                    param.shape, param.dtype);
  }

  // Buffers and extra states. Parameters are empty here; small ones that DeepSpeed keeps whole on
  // every rank are copies in half precision.
  void add_module() {
    const tf::Values& values = first_->values();
    const std::string where = first_->name() + ": module";
    const tf::ValueId module = tf::require(values, first_->root(), "module", first_->name());
    std::vector<std::pair<std::string, tf::ValueId>> objects;
    for (const tf::Item& item : tf::require_items(values, module, where)) {
      const std::string name = tf::require_string(values, item.key, where);
      const auto tensor = name.ends_with("_extra_state")
                              ? std::nullopt
                              : tf::read_tensor(values, item.value, where + ": " + name);
      if (!tensor) {
        objects.emplace_back(name, item.value);
      } else if (known_.contains(name)) {
        first_->leave_out(item.value, kCopies);
      } else if (tensor->count() > 0) {
        add_buffer(name, *tensor);
      } else {
        throw Error(CKB_CORRUPT,
                    fmt::format("{}: {} is empty, as parameters are, but no flat group, frozen "
                                "parameter or shared parameter has this name",
                                where, name));
      }
    }
    for (const auto& [name, value] : objects) first_->add_object(name, value, rank_);
  }

  // In fp32, as the Python script has them. Of whole numbers, the core makes no floats.
  void add_buffer(const std::string& name, const tf::Tensor& tensor) {
    Param buffer{first_->extent(tensor), tensor.shape, tensor.dtype, 0};
    const Dtype from = tensor.dtype;
    if (from == ckptbridge::kFloat64 || from == ckptbridge::kFloat16 ||
        from == ckptbridge::kBFloat16) {
      buffer.value = out_.cast(buffer.value, ckptbridge::kFloat32);
      buffer.dtype = ckptbridge::kFloat32;
    }
    add_tensor(name, "buffer", buffer);
  }

  void add_frozen() {
    if (options_.exclude_frozen) return;
    for (std::size_t i = 0; i < frozen_.size(); ++i) {
      add_group(FlatGroup({frozen_[i]}, dp_world_), fragments_[i], std::nullopt);
    }
  }

  void add_group(const FlatGroup& group, const FlatTensors& flat,
                 std::optional<std::size_t> number) {
    const ckb_node matrix = group.matrix(out_, flat.nodes);
    for (std::size_t i = 0; i < group.params().size(); ++i) {
      const ParamShape& shape = group.params()[i];
      const Param param{group.value(out_, matrix, i), shape.shape, flat.dtype, flat.flags};
      group.drop_padding(out_, matrix, i);
      params_[shape.name] = param;
      add_tensor(shape.name, "param", param);
      if (options_.explain) out_.note(explanation(shape, group.fragment(i), number));
    }
  }

  std::string explanation(const ParamShape& param, const ds::Fragment& fragment,
                          std::optional<std::size_t> group) const {
    std::string shape;
    for (const std::int64_t size : param.shape) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
    }
    const std::string place =
        group ? fmt::format(
                    "from element {} of flat group {}, in {} and the files of the other "
                    "ranks",
                    fragment.begin, *group, optimizers_.front())
              : fmt::format("frozen, in {} and the files of the other ranks", first_->name());
    return fmt::format(
        "{} (model-parallel rank {}): [{}], {} elements: {} pieces of {}, {} of them "
        "padding; {}",
        param.name, rank_, shape, fragment.count, dp_world_, fragment.size, fragment.padding,
        place);
  }

  void add_shared(const std::vector<std::pair<std::string, std::string>>& shared) {
    for (const auto& [name, kept] : shared) {
      const auto param = params_.find(kept);
      if (param != params_.end()) {
        add_tensor(name, "param", param->second);
      } else if (!options_.exclude_frozen) {
        throw Error(CKB_CORRUPT, fmt::format("{}: {} shares {} (shared_params), which is no "
                                             "parameter of the checkpoint",
                                             first_->name(), name, kept));
      }
    }
  }

  // Training state. What describes the shards is made anew by whoever needs it.
  void add_objects() {
    const std::set<std::string_view> shards{"module",        "param_shapes",
                                            "shared_params", "frozen_param_shapes",
                                            "dp_world_size", "frozen_param_fragments"};
    const tf::Values& values = first_->values();
    for (const tf::Item& item : tf::items_of(values, first_->root())) {
      const auto key = values.as_string(item.key);
      const std::string name =
          key && !key->empty() ? std::string(*key) : tf::describe(values, item.key);
      if (!shards.contains(name)) first_->add_object(name, item.value, rank_);
    }
  }

  Graph& out_;
  const Options& options_;
  const std::int64_t dp_world_;
  const int rank_;
  const int mp_world_;
  std::unique_ptr<StateFile> first_;  // of data-parallel rank 0
  std::vector<std::string> optimizers_;
  Groups groups_;
  std::vector<ParamShape> frozen_;
  std::vector<FlatTensors> fragments_;  // of each frozen parameter
  std::vector<FlatGroup> layouts_;
  std::vector<FlatTensors> flat_;  // of each of them
  std::set<std::string> known_;
  std::map<std::string, Param> params_;
};

class Zero3Reader : public plugin::Reader {
 public:
  static int probe(const char* path) { return ds::probe_shard_files(path); }

  Zero3Reader(const char* path, const char* options)
      : path_(path), options_(nlohmann::json::parse(options)) {}

  void read_graph(Graph& out) override {
    const ShardFiles files = ds::find_shard_files(path_, options_.tag);
    find_ranks(out, files);
    const auto shared = read_models(out, files);
    read_optimizers(out, files);
    std::string_view names;
    for (auto& [rank, builder] : builders_) {
      const std::string_view found = builder.finish(shared);
      if (names.empty()) names = found;
    }
    out.drop_object("optimizer_state_dict", kOptimizerState);
    ds::add_config_files(out, path_, files.folder);
    out.set_property("format", "zero3");
    out.set_property("mp_world_size", std::to_string(mp_world_));
    if (!names.empty()) out.set_property("names", std::string(names));
    if (builders_.size() < static_cast<std::size_t>(mp_world_)) {
      out.set_property("mp_ranks", fmt::format("{}-{}", options_.rank_start, options_.rank_end));
    }
  }

 private:
  // How many ranks there are, and that all their files are there.
  void find_ranks(Graph& out, const ShardFiles& files) {
    const auto& first = *files.optimizers.begin();
    StateFile optimizer(out, files.open_as(first.second));
    const StateFile model(out, files.open_as(files.models.begin()->second));
    dp_world_ = ds::partition_count_of(optimizer);
    const auto said = ds::mp_world_size_of(model);
    int highest = 0;
    for (const auto& [rank, name] : files.models) highest = std::max(highest, rank.mp);
    const std::int64_t mp_world = said.value_or(highest + 1);
    ds::require_all_ranks(files, dp_world_, mp_world,
                          fmt::format("partition_count is {}", dp_world_),
                          said ? fmt::format("mp_world_size is {}", mp_world)
                               : fmt::format("there are files of rank {}", highest));
    mp_world_ = static_cast<int>(mp_world);
    if (options_.expect_mp_size != 0 && options_.expect_mp_size != mp_world) {
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("{}/: the checkpoint has {} model-parallel rank{}, not {}; pass "
                      "--mp_size {} to keep {}, or change their number on the way with "
                      "\"ckptbridge convert IN OUT --to zero1 --mp-size {}\"",
                      files.folder, mp_world, mp_world == 1 ? "" : "s", options_.expect_mp_size,
                      mp_world, mp_world == 1 ? "it" : "them", options_.expect_mp_size));
    }
    if (options_.rank_end == -1) options_.rank_end = mp_world - 1;
    if (options_.rank_start < 0 || options_.rank_end < options_.rank_start ||
        options_.rank_end >= mp_world) {
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("ranks {} to {} were asked for, but the checkpoint has {} "
                      "model-parallel rank{}, from 0 on",
                      options_.rank_start, options_.rank_end, mp_world, mp_world == 1 ? "" : "s"));
    }
    for (auto rank = static_cast<int>(options_.rank_start); rank <= options_.rank_end; ++rank) {
      builders_.try_emplace(rank, out, options_, dp_world_, rank, mp_world_);
    }
    if (!builders_.contains(first.first.mp)) optimizer.drop_rest(kOtherModelRanks);
  }

  // Gives the table of shared parameters: only global rank 0 has written it.
  std::vector<std::pair<std::string, std::string>> read_models(Graph& out,
                                                               const ShardFiles& files) {
    std::vector<std::pair<std::string, std::string>> shared;
    for (const auto& [rank, name] : files.models) {
      stop_if_asked();
      const auto builder = builders_.find(rank.mp);
      if (rank == Rank{0, 0}) {
        StateFile file(out, files.open_as(name));
        shared = ds::shared_params_of(file);
        if (builder == builders_.end()) file.drop_rest(kOtherModelRanks);
      }
      if (builder == builders_.end()) continue;
      builder->second.add_model_file(std::make_unique<StateFile>(out, files.open_as(name)),
                                     agreement_);
    }
    return shared;
  }

  void read_optimizers(Graph& out, const ShardFiles& files) {
    for (const auto& [rank, name] : files.optimizers) {
      stop_if_asked();
      const auto builder = builders_.find(rank.mp);
      if (builder == builders_.end()) continue;
      StateFile file(out, files.open_as(name));
      builder->second.add_optimizer_file(file, agreement_);
    }
  }

  std::string path_;
  Options options_;
  std::int64_t dp_world_ = 0;
  int mp_world_ = 0;
  Agreement agreement_;
  std::map<int, RankBuilder> builders_;  // by model-parallel rank
};

}  // namespace

CKPTBRIDGE_READER(Zero3Reader, "zero3-reader", CKPTBRIDGE_VERSION)
