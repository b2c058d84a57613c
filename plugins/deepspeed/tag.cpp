#include "plugins/deepspeed/tag.h"

#include <fstream>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::deepspeed {

namespace fs = std::filesystem;

std::optional<fs::path> tagged_folder(const fs::path& root, std::string tag) {
  const fs::path latest = root / kLatest;
  std::string by = "--tag";
  const bool tag_is_read = tag.empty();
  if (tag_is_read) {
    std::ifstream in(latest);
    std::getline(in, tag);
    if (in.bad() || (!in.is_open() && fs::exists(latest))) {
      throw Error(CKB_IO, latest.string() + ": cannot be read", {.file = latest.string()});
    }
    if (tag.empty()) return std::nullopt;
    by = latest.string();
  }
  if (fs::path(tag).is_absolute() || tag.find("..") != std::string::npos) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: \"{}\" is not a folder below {}", by, tag, root.string()),
                {.file = tag_is_read ? by : ""});
  }
  if (!fs::is_directory(root / tag)) {
    throw Error(
        CKB_NOT_FOUND,
        fmt::format("{} names {}, but there is no such folder in {}", by, tag, root.string()),
        {.file = (root / tag).string()});
  }
  return root / tag;
}

}  // namespace ckptbridge::deepspeed
