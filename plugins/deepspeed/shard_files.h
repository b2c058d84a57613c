// Names of the files in a DeepSpeed checkpoint of ZeRO stage 3, two for each data- and
// model-parallel rank, and whether all are there.
//
//   <root>/latest                                                        see tag.h
//   <root>/<tag>/zero_pp_rank_0_mp_rank_00_model_states.pt               names, shapes, buffers
//   <root>/<tag>/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt          the parameters
// "zero_pp_rank" is the data-parallel rank. Runs in fp16 and fp32 have no "bf16_". ZeRO 1 and 2
// have optimizer files of the same names, but model files called mp_rank_00_model_states.pt.
// Source: deepspeed/runtime/engine.py, _get_rank_zero_ckpt_name and _get_zero_ckpt_name, 0.3 to
// 0.19.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "plugins/deepspeed/pieces.h"

namespace ckptbridge::deepspeed {

// One process of the run that saved. In the order in which files are opened: what different
// model-parallel ranks have of the same rows lies together.
struct Rank {
  int dp;
  int mp;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

enum class ShardKind : std::uint8_t { kModel, kOptimizer };

struct ShardName {
  ShardKind kind;
  Rank rank;
  std::string prefix;  // "bf16_", or ""
};

// nullopt unless file_name is that of a file of ZeRO-3, or of an optimizer file of any stage.
std::optional<ShardName> shard_name_of(const std::string& file_name);

struct ShardFiles {
  std::string folder;  // where they lie, as the user would write it
  std::string below;   // the same, relative to the checkpoint; "" or with a slash at its end
  std::map<Rank, std::string> models;  // names in the folder
  std::map<Rank, std::string> optimizers;
  std::string prefix;  // of optimizer files

  // A file as the host opens it.
  LogicalFile open_as(const std::string& name) const { return {below + name, {below + name}}; }
};

// path: a folder with such files, or the folder above it, whose "latest" names the tag (or tag
// does, if it is not empty). Throws NOT_FOUND when there are none, INVALID_ARGUMENT for one file
// alone, CORRUPT when two files are of one rank.
ShardFiles find_shard_files(const std::string& path, const std::string& tag);

// Every rank of dp_world * mp_world has its two files, and no other rank has. Throws NOT_FOUND that
// names the first file that is missing, and CORRUPT that names one too many; dp_says and mp_says
// tell the user where the numbers come from: "partition_count is 8".
void require_all_ranks(const ShardFiles& files, std::int64_t dp_world, std::int64_t mp_world,
                       const std::string& dp_says, const std::string& mp_says);

// How sure the names alone are that path is such a checkpoint: 0 to 100. Never throws.
int probe_shard_files(const std::string& path);

}  // namespace ckptbridge::deepspeed
