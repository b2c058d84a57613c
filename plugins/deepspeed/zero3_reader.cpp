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
#include <string_view>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/deepspeed/config_files.h"
#include "plugins/deepspeed/shard_files.h"
#include "plugins/deepspeed/zero3_rank.h"
#include "plugins/state_dict/run_facts.h"

namespace {

using ckptbridge::Error;
using ckptbridge::deepspeed::Agreement;
using ckptbridge::deepspeed::FlatGroup;
using ckptbridge::deepspeed::FlatTensors;
using ckptbridge::deepspeed::Groups;
using ckptbridge::deepspeed::kOptimizerState;
using ckptbridge::deepspeed::kOtherModelRanks;
using ckptbridge::deepspeed::Rank;
using ckptbridge::deepspeed::RankBuilder;
using ckptbridge::deepspeed::ShardFiles;
using ckptbridge::deepspeed::StateFile;
using ckptbridge::deepspeed::Zero3Options;
using ckptbridge::plugin::Graph;
namespace ds = ckptbridge::deepspeed;
namespace plugin = ckptbridge::plugin;
namespace tf = ckptbridge::torch_file;

Zero3Options options_of(const char* options) {
  const ckptbridge::Json given = ckptbridge::Json::parse(options, "options");
  ckptbridge::JsonObject object(given, "options");
  return {.tag = object.string_or("tag", ""),
          .exclude_frozen = object.boolean("exclude-frozen-parameters"),
          .expect_mp_size = object.integer_or("expect-mp-size", 0),
          .rank_start = object.integer_or("rank-start", 0),
          .rank_end = object.integer_or("rank-end", -1),
          .explain = object.boolean("explain")};
}

void stop_if_asked() {
  if (plugin::host->cancelled(plugin::host)) throw Error(CKB_CANCELLED, "stopped as asked");
}

class Zero3Reader : public plugin::Reader {
 public:
  static int probe(const char* path) { return ds::probe_shard_files(path); }

  Zero3Reader(const char* path, const char* options) : path_(path), options_(options_of(options)) {}

  void read_graph(Graph& out) override {
    const ShardFiles files = ds::find_shard_files(path_, options_.tag);
    find_ranks(out, files);
    const auto shared = read_models(out, files);
    read_optimizers(out, files);
    if (partitions_ != dp_world_) merge_pieces();
    std::string_view names;
    for (auto& [rank, builder] : builders_) {
      if (rank < options_.rank_start || rank > options_.rank_end) {
        builder.leave_out();
        continue;
      }
      const std::string_view found = builder.finish(shared);
      if (names.empty()) names = found;
    }
    out.drop_object("optimizer_state_dict", kOptimizerState);
    ds::add_config_files(out, path_, files.folder);
    out.set_property("format", "zero3");
    out.set_property("mp_world_size", std::to_string(mp_world_));
    if (!names.empty()) out.set_property("names", std::string(names));
    if (options_.rank_end - options_.rank_start + 1 < mp_world_) {
      out.set_property("mp_ranks", fmt::format("{}-{}", options_.rank_start, options_.rank_end));
    }
  }

 private:
  // How many ranks there are, and that all their files are there.
  void find_ranks(Graph& out, const ShardFiles& files) {
    const auto& first = *files.optimizers.begin();
    StateFile optimizer(out, files.open_as(first.second));
    const StateFile model(out, files.open_as(files.models.begin()->second));
    dp_world_ = ckptbridge::about({.file = optimizer.name()},
                                  [&] { return ds::partition_count_of(optimizer); });
    ckptbridge::state_dict::add_run_facts(out, model.values(), model.root());
    const auto said =
        ckptbridge::about({.file = model.name()}, [&] { return ds::mp_world_size_of(model); });
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
          fmt::format("{}/: the checkpoint has {} model-parallel rank{}, not {}", files.folder,
                      mp_world, mp_world == 1 ? "" : "s", options_.expect_mp_size),
          {.file = files.folder,
           .hint = fmt::format("pass --mp_size {} to keep {}, or change their number on the way "
                               "with \"ckptbridge convert IN OUT --to zero1 --mp-size {}\"",
                               mp_world, mp_world == 1 ? "it" : "them", options_.expect_mp_size)});
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
    find_partitions(out, model, optimizer);
    for (int rank = 0; rank < mp_world_; ++rank) {
      const bool is_asked_for = options_.rank_start <= rank && rank <= options_.rank_end;
      if (!is_asked_for && partitions_ == dp_world_) continue;
      builders_.try_emplace(rank, out, options_, partitions_, rank, mp_world_);
    }
    if (!builders_.contains(first.first.mp)) optimizer.drop_rest(kOtherModelRanks);
  }

  // Over which ranks parameters are spread: the data-parallel ones; or all processes of the run,
  // where the model was made under zero.Init without a data-parallel group (the default there is
  // the world). Then all model-parallel ranks have the same parameters.
  void find_partitions(Graph& out, const StateFile& model, const StateFile& optimizer) {
    partitions_ = dp_world_;
    if (mp_world_ == 1) return;
    std::uint64_t found = 0;
    for (const tf::Tensor& flat : ds::flat_groups_of(optimizer)) found += flat.count();
    const Groups groups = ds::param_shapes_of(model);
    const auto needed = [&](std::int64_t ranks) {
      std::uint64_t count = 0;
      for (const auto& group : groups) {
        count += static_cast<std::uint64_t>(FlatGroup(group, ranks).size());
      }
      return count;
    };
    const std::int64_t all = dp_world_ * mp_world_;
    if (found == needed(dp_world_) || found != needed(all)) return;
    partitions_ = all;
    out.note(
        fmt::format("parameters are spread over all {} processes, as by zero.Init without a "
                    "data-parallel group: the {} model-parallel ranks have the same ones",
                    all, mp_world_));
  }

  // Every rank gets the pieces of all, by process: model-parallel ranks of one data-parallel rank
  // follow each other.
  void merge_pieces() {
    std::vector<std::vector<FlatTensors*>> pieces;
    for (auto& [rank, builder] : builders_) pieces.push_back(builder.pieces());
    for (std::size_t i = 0; i < pieces.front().size(); ++i) {
      std::vector<ckb_node> nodes;
      for (std::size_t dp = 0; dp < static_cast<std::size_t>(dp_world_); ++dp) {
        for (const auto& of_rank : pieces) {
          // Several flat tensors of a rank that are one group stay together.
          const auto& own = of_rank.at(i)->nodes;
          const std::size_t each = own.size() / static_cast<std::size_t>(dp_world_);
          const auto begin = own.begin() + static_cast<std::ptrdiff_t>(dp * each);
          nodes.insert(nodes.end(), begin, begin + static_cast<std::ptrdiff_t>(each));
        }
      }
      for (const auto& of_rank : pieces) of_rank.at(i)->nodes.clear();
      for (const auto& of_rank : pieces) of_rank.at(i)->nodes = nodes;
    }
  }

  // Returns the table of shared parameters: only global rank 0 has written it.
  std::vector<std::pair<std::string, std::string>> read_models(Graph& out,
                                                               const ShardFiles& files) {
    std::vector<std::pair<std::string, std::string>> shared;
    for (const auto& [rank, name] : files.models) {
      stop_if_asked();
      const auto builder = builders_.find(rank.mp);
      if (rank == Rank{0, 0}) {
        StateFile file(out, files.open_as(name));
        shared =
            ckptbridge::about({.file = file.name()}, [&] { return ds::shared_params_of(file); });
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
  Zero3Options options_;
  std::int64_t dp_world_ = 0;
  int mp_world_ = 0;
  std::int64_t partitions_ = 0;
  Agreement agreement_;
  std::map<int, RankBuilder> builders_;  // by model-parallel rank
};

}  // namespace

CKPTBRIDGE_READER(Zero3Reader, "zero3-reader", CKPTBRIDGE_VERSION)
