// What the two files of one rank of ZeRO stage 3 hold.
//
//   zero_pp_rank_D_mp_rank_MM_model_states.pt, a dict:
//     module                  OrderedDict name -> tensor: parameters are empty here (or copies in
//                             half precision of small ones), buffers whole; "…_extra_state"
//     buffer_names            which of them are buffers (0.4.0 and later)
//     param_shapes            list of OrderedDict name -> torch.Size, one for each flat group
//                             (one OrderedDict before 0.4)
//     frozen_param_shapes     OrderedDict name -> torch.Size, or None (0.9.2 and later)
//     frozen_param_fragments  OrderedDict name -> the rank's fragment, 1-D, or None
//     shared_params           dict name -> name of the parameter that it shares (0.9.3 and later);
//                             filled by global rank 0 only
//     global_steps, dp_world_size, mp_world_size, ds_version, iteration, args, …
//
//   [bf16_]zero_pp_rank_D_mp_rank_MM_optim_states.pt, a dict:
//     optimizer_state_dict    zero_stage, partition_count, optimizer_state_dict, …
//       fp32_flat_groups      list of 1-D tensors, see flat_groups.h
//     ds_version
// Source: deepspeed/runtime/engine.py (_save_checkpoint) and zero/stage3.py (_rigid_state_dict) of
// 0.3 to 0.19; the files in tests/golden/zero3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/deepspeed/agreement.h"
#include "plugins/deepspeed/flat_groups.h"
#include "plugins/deepspeed/state_file.h"

namespace ckptbridge::deepspeed {

// Throw CORRUPT or UNSUPPORTED that names file and key; so does all below.
std::int64_t partition_count_of(const StateFile& optimizer);
std::optional<std::int64_t> mp_world_size_of(const StateFile& model);

// param_shapes, and the same of frozen_param_shapes.
using Groups = std::vector<std::vector<ParamShape>>;
Groups param_shapes_of(const StateFile& model);
std::vector<ParamShape> frozen_shapes_of(const StateFile& model);

// The rank's fragment of each frozen parameter, in the order of shapes.
std::vector<torch_file::Tensor> frozen_fragments_of(const StateFile& model,
                                                    const std::vector<ParamShape>& shapes,
                                                    std::int64_t partitions);

// Names, and the names of the parameters that they share.
std::vector<std::pair<std::string, std::string>> shared_params_of(const StateFile& model);

// One-dimensional, contiguous, of one dtype.
std::vector<torch_file::Tensor> flat_groups_of(const StateFile& optimizer);

// Has the file's statements about the checkpoint agree with those of the files before it.
void require_agreement(Agreement& agreement, const StateFile& file);
// The same of the shapes of two files of one model-parallel rank.
void require_same_shapes(const StateFile& file, const Groups& groups, const std::string& other,
                         const Groups& expected);

}  // namespace ckptbridge::deepspeed
