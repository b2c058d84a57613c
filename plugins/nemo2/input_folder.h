// The folder that a reader was given: where weights and context lie in it, and what it is.
//
//   IN/weights/metadata.json, IN/context/io.json, …   a NeMo2 checkpoint
//   IN/metadata.json                                  a folder of weights alone
//   IN/.metadata                                      one of torch.distributed.checkpoint (DCP)
//   IN-unfinished                                     beside it: saving has not ended
// metadata.json: {"sharded_backend": "torch_dist"|"zarr", "sharded_backend_version": 1, …}; newer
// releases leave members out.
// Source: nemo/lightning/ckpt_utils.py of NeMo 2.6; megatron/core/dist_checkpointing/core.py of
// megatron-core 0.12 to 0.19.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ckptbridge/plugin.hpp"

namespace ckptbridge::nemo2 {

struct InputFolder {
  std::filesystem::path path;  // as the user named it
  std::string weights;         // "weights/", or "" where the folder itself holds them

  std::filesystem::path weights_path() const { return path / weights; }
};

// Looks at names only. Never throws.
InputFolder find_input_folder(const std::string& path) noexcept;

// What metadata.json names as the backend of the weights; "" where there is no such file or it does
// not say. Throws IO where it cannot be read.
std::string backend_of(const InputFolder& folder);

// Throws CORRUPT where saving has not ended, and UNSUPPORTED where metadata.json names another
// backend than this one, or a version of it that is not known. Returns whether there is such a
// file.
bool require_backend(plugin::Graph& out, const InputFolder& folder, std::string_view backend);

// Adds the files below context/ as objects "context/NAME", by name, and weights/common.pt as
// "common". Notes where a context lies above a folder of weights.
void add_context(plugin::Graph& out, const InputFolder& folder);
void add_common(plugin::Graph& out, const InputFolder& folder);
bool has_common(const InputFolder& folder);

// True for a key of an optimizer's state, which no conversion of weights needs:
// "optimizer.state.exp_avg.module.…", "chained_0.optimizer.…".
bool is_optimizer_state(std::string_view key);
inline constexpr char kOptimizerReason[] =
    "optimizer state, which a checkpoint of weights does not hold";

// True where these are Megatron's names, whoever wrote them.
bool is_megatron_name(std::string_view key);

}  // namespace ckptbridge::nemo2
