// Which folder below a checkpoint is meant.
//
//   <root>/latest   text: the tag, "global_step10", the name of a folder beside it
// Source: deepspeed/runtime/engine.py, save_checkpoint, of 0.3 to 0.19.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ckptbridge::deepspeed {

inline constexpr char kLatest[] = "latest";

// root/tag; with an empty tag, what root/latest names, and nullopt where there is no such file.
// Throws NOT_FOUND when the folder is missing, CORRUPT when the tag leads out of root.
std::optional<std::filesystem::path> tagged_folder(const std::filesystem::path& root,
                                                   std::string tag);

}  // namespace ckptbridge::deepspeed
