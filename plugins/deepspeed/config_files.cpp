#include "plugins/deepspeed/config_files.h"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace ckptbridge::deepspeed {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 64;
constexpr std::uintmax_t kMostBytes = 1 << 20;

std::vector<std::string> config_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const fs::path extension = entry->path().extension();
    if (extension != ".yml" && extension != ".yaml" && extension != ".json") continue;
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && entry->file_size(ignored) <= kMostBytes) {
      names.push_back(entry->path().filename().string());
    }
  }
  if (names.size() > kMostFiles) names.clear();
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void add_config_files(plugin::Graph& out, const std::string& path, const std::string& folder) {
  const fs::path configs = fs::path(folder) / "configs";
  const fs::path root = fs::is_directory(path) ? fs::path(path) : fs::path(path).parent_path();
  for (const std::string& name : config_names(configs)) {
    const ckb_file file = out.open_file((configs / name).lexically_relative(root).string());
    std::vector<std::byte> text(out.file_size(file));
    if (!text.empty()) out.read_file(file, 0, text);
    out.add_object("configs/" + name, "bytes", text);
  }
}

}  // namespace ckptbridge::deepspeed
