// One model-parallel rank of a ZeRO-3 checkpoint on its way into the graph.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/deepspeed/shard_state.h"

namespace ckptbridge::deepspeed {

// Why bytes are left out.
inline constexpr char kOptimizerState[] =
    "optimizer state (Adam's moments and steps), which is not read";
inline constexpr char kOtherModelRanks[] = "model-parallel ranks that were not asked for";

struct Zero3Options {
  std::string tag;
  bool exclude_frozen = false;
  std::int64_t expect_mp_size = 0;  // 0: any
  std::int64_t rank_start = 0;
  std::int64_t rank_end = -1;  // inclusive; -1: the last
  bool explain = false;
};

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
  // partitions: the number of ranks over which parameters are spread. out and options must outlive
  // this.
  RankBuilder(plugin::Graph& out, const Zero3Options& options, std::int64_t partitions, int rank,
              int mp_world)
      : out_(out), options_(options), partitions_(partitions), rank_(rank), mp_world_(mp_world) {}

  // In the order of the data-parallel ranks; all model files before the first optimizer file. Throw
  // CORRUPT where files contradict each other.
  void add_model_file(std::unique_ptr<StateFile> file, Agreement& agreement);
  void add_optimizer_file(StateFile& file, Agreement& agreement);

  // The flat tensors and fragments of this rank, for all ranks to be merged into one list.
  std::vector<FlatTensors*> pieces();

  // Instead of finish(): only its pieces were wanted.
  void leave_out() { first_->drop_rest(kOtherModelRanks); }

  // Adds all to the graph, in the order in which the Python script has it: buffers, extra state,
  // frozen parameters, the others in the order of the groups, shared ones. Returns the value of the
  // property "names".
  std::string_view finish(const std::vector<std::pair<std::string, std::string>>& shared);

 private:
  void read_model_file(std::unique_ptr<StateFile> file, Agreement& agreement);
  void read_optimizer_file(StateFile& file, Agreement& agreement);
  struct Param {
    ckb_node value;
    plugin::Shape shape;
    Dtype dtype;
    std::uint32_t flags;
  };

  void add_fragments(StateFile& file);

  // One for each flat group; where param_shapes has another number of groups than there are flat
  // tensors (DeepSpeed before 0.4), the rank's flat tensors follow each other as one group.
  void make_groups(std::size_t flat_tensors);

  // The flat tensor has as many elements as the parameters need; so have all together, where they
  // are one group.
  void require_size(const StateFile& file, const std::vector<torch_file::Tensor>& flat,
                    std::size_t i) const;

  void add_tensor(const std::string& name, const char* role, const Param& param);

  // Buffers and extra states. Parameters are empty here; small ones that DeepSpeed keeps whole on
  // every rank are copies in half precision.
  void add_module();

  // In fp32, as the Python script has them. Of whole numbers, the core makes no floats.
  void add_buffer(const std::string& name, const torch_file::Tensor& tensor);

  void add_frozen();

  void add_group(const FlatGroup& group, const FlatTensors& flat,
                 std::optional<std::size_t> number);

  std::string explanation(const ParamShape& param, const Fragment& fragment,
                          std::optional<std::size_t> group) const;

  void add_shared(const std::vector<std::pair<std::string, std::string>>& shared);

  // Training state. What describes the shards is made anew by whoever needs it.
  void add_objects();

  plugin::Graph& out_;
  const Zero3Options& options_;
  const std::int64_t partitions_;
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

}  // namespace ckptbridge::deepspeed
