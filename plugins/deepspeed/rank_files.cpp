#include "plugins/deepspeed/rank_files.h"

#include <algorithm>
#include <filesystem>
#include <fnmatch.h>
#include <map>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "plugins/deepspeed/tag.h"

namespace ckptbridge::deepspeed {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "mp_rank_";
constexpr char kSuffix[] = "_model_states.pt";
constexpr std::size_t kMaxDigits = 6;

// The rank files among those of a folder, by rank: name and parts.
std::map<int, std::pair<std::string, FileParts>> ranks_among(
    const fs::path& folder, const std::map<std::string, FileParts>& files,
    const std::string& glob) {
  std::map<int, std::pair<std::string, FileParts>> ranks;
  for (const auto& [name, parts] : files) {
    if (!glob.empty() && ::fnmatch(glob.c_str(), name.c_str(), 0) != 0) continue;
    const auto rank = model_rank_of(name);
    if (!rank) continue;
    if (parts.is_whole && !parts.pieces.empty()) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{} is there both whole and in pieces", (folder / name).string()),
                  {.file = (folder / name).string(), .hint = "take one away"});
    }
    ranks.emplace(*rank, std::pair(name, parts));  // a rank is written in one way only
  }
  return ranks;
}

// The user named a file: whole, by its name without ".part…", or by a piece.
RankFiles named_file(const fs::path& path) {
  const std::string name = path.filename().string();
  RankFiles result{path.parent_path().string(), {}, true};
  const auto piece = piece_name_of(name);
  if (fs::exists(path) && !piece) {
    result.files.push_back({name, {name}});
    return result;
  }
  const std::string stem = piece ? piece->stem : name;
  const auto files = files_in(result.folder);
  const auto found = files.find(stem);
  if (found == files.end() || found->second.pieces.empty()) {
    throw Error(
        CKB_NOT_FOUND,
        fmt::format("{}: no such file, and no pieces of it ({}.part0)", path.string(), name),
        {.file = path.string()});
  }
  result.files.push_back(in_order(result.folder, stem, found->second));
  return result;
}

// The one file of a folder that is there in pieces; nullopt when none is.
std::optional<LogicalFile> only_file_in_pieces(const fs::path& folder,
                                               const std::map<std::string, FileParts>& files) {
  std::vector<std::string> stems;
  for (const auto& [name, parts] : files) {
    if (!parts.pieces.empty()) stems.push_back(name);
  }
  if (stems.empty()) return std::nullopt;
  if (stems.size() > 1) {
    throw Error(
        CKB_INVALID_ARGUMENT,
        fmt::format("{}: {} and {} are there in pieces", folder.string(), stems[0], stems[1]),
        {.file = folder.string(), .hint = "name the one to read"});
  }
  const FileParts& parts = files.at(stems[0]);
  if (parts.is_whole) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: {} is there both whole and in pieces", folder.string(), stems[0]),
                {.file = (folder / stems[0]).string(), .hint = "name it, or a piece of it"});
  }
  return in_order(folder.string(), stems[0], parts);
}

// Names in folder become relative to root.
LogicalFile placed(LogicalFile file, const fs::path& folder, const fs::path& root) {
  const auto relative = [&](const std::string& name) {
    return (folder / name).lexically_relative(root).string();
  };
  file.name = relative(file.name);
  std::ranges::transform(file.pieces, file.pieces.begin(), relative);
  return file;
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
  if (!fs::is_directory(path)) return named_file(path);
  fs::path folder = path;
  auto files = files_in(path);
  auto ranks = ranks_among(folder, files, glob);
  if (!tag.empty() || ranks.empty()) {
    if (const auto tagged = tagged_folder(path, tag)) {
      folder = *tagged;
      files = files_in(folder.string());
      ranks = ranks_among(folder, files, glob);
    }
  }
  RankFiles result{folder.string(), {}, false};
  if (ranks.empty()) {
    if (const auto file = only_file_in_pieces(folder, files)) {
      result.files.push_back(placed(*file, folder, path));
      result.single = true;
      return result;
    }
    // What pt-writer makes: OUT/model.pt.
    if (glob.empty() && files.size() == 1 && files.begin()->second.is_whole) {
      result.files.push_back(placed(
          in_order(folder.string(), files.begin()->first, files.begin()->second), folder, path));
      result.single = true;
      return result;
    }
    const std::string which = glob.empty() ? "" : " that match " + glob;
    throw Error(CKB_NOT_FOUND,
                fmt::format("{}: no rank files ({}00{}) here{}, and no file \"{}\" that names a "
                            "folder with some",
                            folder.string(), kPrefix, kSuffix, which, kLatest),
                {.file = folder.string()});
  }
  for (const auto& [rank, file] : ranks) {
    if (rank != static_cast<int>(result.files.size())) {
      throw Error(
          CKB_NOT_FOUND,
          fmt::format("{}: rank {} is missing: no {}{:02}{}, though there is one of rank {}",
                      folder.string(), result.files.size(), kPrefix, result.files.size(), kSuffix,
                      rank),
          {.file = (folder / fmt::format("{}{:02}{}", kPrefix, result.files.size(), kSuffix))
                       .string()});
    }
    result.files.push_back(
        placed(in_order(folder.string(), file.first, file.second), folder, path));
  }
  return result;
}

bool concerns_rank_files(const std::string& path) noexcept {
  try {
    const fs::path input(path);
    if (!fs::is_directory(input)) {
      const std::string name = input.filename().string();
      return model_rank_of(name) || piece_name_of(name) || !fs::exists(input);
    }
    if (fs::exists(input / kLatest)) return true;
    for (const auto& entry : fs::directory_iterator(input)) {
      const std::string name = entry.path().filename().string();
      if (model_rank_of(name) || piece_name_of(name)) return true;
    }
  } catch (const std::exception&) {
    return false;  // what cannot be listed is not known
  }
  return false;
}

}  // namespace ckptbridge::deepspeed
