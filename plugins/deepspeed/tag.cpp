#include "plugins/deepspeed/tag.h"

#include <fstream>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::deepspeed {

namespace fs = std::filesystem;

std::optional<fs::path> tagged_folder(const fs::path& root, std::string tag) {
  const fs::path latest = root / kLatest;
  std::string by = "--tag";
  if (tag.empty()) {
    std::ifstream in(latest);
    if (!std::getline(in, tag) || tag.empty()) return std::nullopt;
    by = latest.string();
  }
  if (fs::path(tag).is_absolute() || tag.find("..") != std::string::npos) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: \"{}\" is no folder below {}", by, tag, root.string()));
  }
  if (!fs::is_directory(root / tag)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{} names {}, but there is no such folder in {}", by,
                                           tag, root.string()));
  }
  return root / tag;
}

}  // namespace ckptbridge::deepspeed
