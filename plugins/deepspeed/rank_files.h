// Names of the files in a DeepSpeed checkpoint, and which of them belong together.
//
//   <root>/latest                                  text: the tag, "global_step10"
//   <root>/<tag>/mp_rank_00_model_states.pt        one for each model-parallel rank (ZeRO 0 to 2)
//   <root>/<tag>/mp_rank_00_model_states.pt.part0  the same in pieces, see pieces.h
//   <root>/<tag>/zero_pp_rank_0_mp_rank_00_…       ZeRO-3: not read here
// Source: deepspeed/runtime/engine.py, _get_ckpt_name, of 0.3 to 0.19.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/deepspeed/pieces.h"

namespace ckptbridge::deepspeed {

// The rank in "mp_rank_07_model_states.pt"; of two digits at least, "mp_rank_100" too.
std::optional<int> model_rank_of(const std::string& file_name);

// The input of a ZeRO-1 reader, found by names alone.
struct RankFiles {
  std::string folder;              // where they lie, as the user would write it
  std::vector<LogicalFile> files;  // by rank, from 0 on; pieces are relative to the checkpoint
  bool single = false;             // one file that no rank's name is asked of
};

// path: a file, which may be there in pieces only; one of its pieces; a folder with rank files, or
// with the pieces of one file, or with one .pt alone; or the folder above one with rank files, whose "latest" names the
// tag (or tag does, if it is not empty). Of a folder, only files are looked at whose names match
// glob, a shell pattern, if it is not empty. Throws NOT_FOUND that says what is missing: the folder
// of the tag, all rank files, which rank of how many, or which piece.
RankFiles find_rank_files(const std::string& path, const std::string& tag,
                          const std::string& glob = "");

// True if path is, or names, something that find_rank_files has an opinion about: a rank file, a
// piece, or a folder with one of them or with "latest". Never throws.
bool concerns_rank_files(const std::string& path) noexcept;

}  // namespace ckptbridge::deepspeed
