// Which files a checkpoint in safetensors is made of:
//
//   model.safetensors                       all of it; or
//   model-00001-of-00002.safetensors, …     shards, and
//   model.safetensors.index.json            {"metadata": {"total_size": BYTES},
//                                            "weight_map": {TENSOR: FILE, …}}
// The names may be others; those of the shards are what the index says.
// Source: huggingface_hub, serialization/_torch.py; transformers' loading by index.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ckptbridge::safetensors {

inline constexpr char kEnding[] = ".safetensors";
inline constexpr char kIndexEnding[] = ".safetensors.index.json";

// What path leads to: the name of one file in its folder, of tensors or an index.
struct ModelFiles {
  std::string folder;
  std::string name;

  bool is_index() const { return name.ends_with(kIndexEnding); }
};

// path is a file, or a folder with one index or one file of tensors. Throws NOT_FOUND where there
// is none, UNSUPPORTED where there are several.
ModelFiles find_model_files(const std::string& path);

// Which file of the folder has each tensor. Throws CORRUPT for what is no index, or names a file
// outside the folder.
std::map<std::string, std::string> parse_index(std::string_view json, const std::string& name);
std::string index_text(const std::map<std::string, std::string>& file_of, std::uint64_t total_size);

}  // namespace ckptbridge::safetensors
