// Names of the files in a DeepSpeed checkpoint, and which of them belong together.
//
//   <root>/latest                                  text: the tag, "global_step10"
//   <root>/<tag>/mp_rank_00_model_states.pt        one for each model-parallel rank (ZeRO 0 to 2)
//   <root>/<tag>/zero_pp_rank_0_mp_rank_00_…       ZeRO-3: not read here
// Source: deepspeed/runtime/engine.py, _get_ckpt_name, of 0.3 to 0.19.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ckptbridge::deepspeed {

// The rank in "mp_rank_07_model_states.pt"; of two digits at least, "mp_rank_100" too.
std::optional<int> model_rank_of(const std::string& file_name);

// The input of a ZeRO-1 reader, found by names alone.
struct RankFiles {
  std::string folder;              // where they lie, as the user would write it
  std::vector<std::string> paths;  // by rank, from 0 on, relative to the checkpoint
  bool single = false;             // the user named one file
};

// path: a file, a folder with rank files, or the folder above one, whose "latest" names the tag
// (or tag does, if it is not empty). Of a folder, only files are looked at whose names match glob,
// a shell pattern, if it is not empty. Throws NOT_FOUND that says what is missing: the folder of
// the tag, all rank files, or which rank of how many.
RankFiles find_rank_files(const std::string& path, const std::string& tag,
                          const std::string& glob = "");

}  // namespace ckptbridge::deepspeed
