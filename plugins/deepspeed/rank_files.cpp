#include "plugins/deepspeed/rank_files.h"

#include <algorithm>
#include <filesystem>
#include <fnmatch.h>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge::deepspeed {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "mp_rank_";
constexpr char kSuffix[] = "_model_states.pt";
constexpr char kLatest[] = "latest";
constexpr std::size_t kMaxDigits = 6;

std::map<int, std::string> ranks_in(const fs::path& folder, const std::string& glob) {
  std::map<int, std::string> ranks;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!glob.empty() && ::fnmatch(glob.c_str(), name.c_str(), 0) != 0) continue;
    if (const auto rank = model_rank_of(name)) {
      const auto [it, added] = ranks.emplace(*rank, entry.path().string());
      if (!added) {
        throw Error(CKB_CORRUPT,
                    fmt::format("{}: {} and {} are both model-parallel rank {}", folder.string(),
                                name, fs::path(it->second).filename().string(), *rank));
      }
    }
  }
  return ranks;
}

// The folder that <root>/latest or the user names.
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

}  // namespace

std::optional<int> model_rank_of(const std::string& file_name) {
  const std::size_t prefix = sizeof(kPrefix) - 1;
  const std::size_t suffix = sizeof(kSuffix) - 1;
  if (!file_name.starts_with(kPrefix) || !file_name.ends_with(kSuffix) ||
      file_name.size() < prefix + suffix + 2) {
    return std::nullopt;
  }
  const std::string digits = file_name.substr(prefix, file_name.size() - prefix - suffix);
  const bool number =
      digits.size() <= kMaxDigits &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
      (digits.size() == 2 || digits[0] != '0');
  return number ? std::optional(std::stoi(digits)) : std::nullopt;
}

RankFiles find_rank_files(const std::string& path, const std::string& tag,
                          const std::string& glob) {
  if (!fs::is_directory(path)) {
    return {fs::path(path).parent_path().string(), {fs::path(path).filename().string()}, true};
  }
  fs::path folder = path;
  if (!tag.empty() || ranks_in(folder, glob).empty()) {
    if (const auto tagged = tagged_folder(path, tag)) folder = *tagged;
  }
  const std::map<int, std::string> ranks = ranks_in(folder, glob);
  if (ranks.empty()) {
    const std::string which = glob.empty() ? "" : " that match " + glob;
    throw Error(CKB_NOT_FOUND,
                fmt::format("{}: no rank files ({}00{}) here{}, and no file \"{}\" that names a "
                            "folder with some",
                            folder.string(), kPrefix, kSuffix, which, kLatest));
  }
  RankFiles result{folder.string(), {}, false};
  for (const auto& [rank, file] : ranks) {
    if (rank != static_cast<int>(result.paths.size())) {
      throw Error(
          CKB_NOT_FOUND,
          fmt::format("{}: rank {} is missing: no {}{:02}{}, though there is one of rank {}",
                      folder.string(), result.paths.size(), kPrefix, result.paths.size(), kSuffix,
                      rank));
    }
    result.paths.push_back(fs::path(file).lexically_relative(path).string());
  }
  return result;
}

}  // namespace ckptbridge::deepspeed
