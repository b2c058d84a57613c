#include "plugins/deepspeed/shard_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "plugins/deepspeed/rank_files.h"
#include "plugins/deepspeed/tag.h"

namespace ckptbridge::deepspeed {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kData = "zero_pp_rank_";
constexpr std::string_view kModelParallel = "_mp_rank_";
constexpr std::string_view kModelStates = "_model_states.pt";
constexpr std::string_view kOptimizerStates = "_optim_states.pt";
constexpr std::array<std::string_view, 2> kPrefixes{"bf16_", "fp16_"};
constexpr std::size_t kMaxDigits = 6;

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// A number of at least so many digits, with leading zeros only to reach them.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
  if (size < digits || size > kMaxDigits || (size > digits && text[0] == '0')) return std::nullopt;
  int number = 0;
  std::from_chars(text.data(), text.data() + size, number);
  text.remove_prefix(size);
  return number;
}

std::string file_name(ShardKind kind, const Rank& rank, const std::string& prefix) {
  return fmt::format("{}{}{}{}{:02}{}", kind == ShardKind::kOptimizer ? prefix : "", kData, rank.dp,
                     kModelParallel, rank.mp,
                     kind == ShardKind::kOptimizer ? kOptimizerStates : kModelStates);
}

void add(ShardFiles& files, const ShardName& shard, const std::string& name) {
  auto& known = shard.kind == ShardKind::kModel ? files.models : files.optimizers;
  const auto [it, added] = known.emplace(shard.rank, name);
  if (added) return;
  throw Error(
      CKB_CORRUPT,
      fmt::format("{}: {} and {} are both of data-parallel rank {} and model-parallel rank {}",
                  files.folder, std::min(it->second, name), std::max(it->second, name),
                  shard.rank.dp, shard.rank.mp),
      {.file = (fs::path(files.folder) / name).string(),
       .hint = "take away the one that is not part of the checkpoint"});
}

ShardFiles files_directly_in(const fs::path& folder) {
  ShardFiles files;
  files.folder = folder.string();
  std::error_code problem;
  const fs::directory_iterator entries(folder, problem);
  if (problem) {
    throw Error(CKB_IO, fmt::format("{}: cannot be listed: {}", files.folder, problem.message()),
                {.file = files.folder});
  };
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (const auto shard = shard_name_of(name)) add(files, *shard, name);
  }
  if (!files.optimizers.empty()) {
    files.prefix = shard_name_of(files.optimizers.begin()->second)->prefix;
  }
  return files;
}

// How sure the names in a folder are. Optimizer files alone could be of ZeRO stage 1, too.
int likeness_of(const fs::path& folder) {
  int result = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto shard = shard_name_of(entry.path().filename().string());
    if (shard) result = std::max(result, shard->kind == ShardKind::kModel ? 95 : 45);
  }
  return result;
}

// What the user probably gave instead.
std::string hint_for(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (model_rank_of(entry.path().filename().string())) {
      return fmt::format("; {} is of ZeRO stage 1 or 2, or of none, which --from zero1 reads",
                         entry.path().filename().string());
    }
  }
  return "";
}

// The first rank from 0 on that has no file, in the order of the ranks.
std::optional<Rank> first_gap(const std::map<Rank, std::string>& files, std::int64_t dp_world,
                              std::int64_t mp_world) {
  Rank next{0, 0};
  for (const auto& [rank, name] : files) {
    if (rank != next) return next;
    if (++next.mp == mp_world) next = {next.dp + 1, 0};
  }
  return next.dp < dp_world ? std::optional(next) : std::nullopt;
}

[[noreturn]] void fail_missing(const ShardFiles& files, ShardKind kind, const Rank& rank,
                               std::int64_t dp_world, std::int64_t mp_world,
                               const std::string& dp_says, const std::string& mp_says) {
  const auto& found = kind == ShardKind::kModel ? files.models : files.optimizers;
  const bool whole_rank =
      std::ranges::none_of(found, [&](const auto& file) { return file.first.mp == rank.mp; });
  const std::string which = whole_rank
                                ? fmt::format("model-parallel rank {} of {}", rank.mp, mp_world)
                                : fmt::format("rank {} of {}", rank.dp, dp_world);
  const std::int64_t missing =
      dp_world * mp_world - static_cast<std::int64_t>(std::ranges::count_if(found, [&](auto& file) {
        return file.first.dp < dp_world && file.first.mp < mp_world;
      }));
  throw Error(CKB_NOT_FOUND,
              fmt::format("{}/: {} is missing: no {} ({}){}", files.folder, which,
                          file_name(kind, rank, files.prefix), whole_rank ? mp_says : dp_says,
                          missing > 1 ? fmt::format("; {} files are missing in all", missing) : ""),
              {.file = (fs::path(files.folder) / file_name(kind, rank, files.prefix)).string()});
}

void require_all(const ShardFiles& files, ShardKind kind, std::int64_t dp_world,
                 std::int64_t mp_world, const std::string& dp_says, const std::string& mp_says) {
  const auto& found = kind == ShardKind::kModel ? files.models : files.optimizers;
  for (const auto& [rank, name] : found) {
    if (rank.dp < dp_world && rank.mp < mp_world) continue;
    throw Error(CKB_CORRUPT,
                fmt::format("{}/: {} is of a rank that the checkpoint does not have ({})",
                            files.folder, name, rank.dp < dp_world ? mp_says : dp_says),
                {.file = (fs::path(files.folder) / name).string(),
                 .hint = "take it away if it is left from another one"});
  }
  if (const auto gap = first_gap(found, dp_world, mp_world)) {
    fail_missing(files, kind, *gap, dp_world, mp_world, dp_says, mp_says);
  }
}

}  // namespace

std::optional<ShardName> shard_name_of(const std::string& name) {
  std::string_view rest = name;
  ShardName shard{};
  for (const std::string_view prefix : kPrefixes) {
    if (take(rest, prefix)) shard.prefix = prefix;
  }
  if (!take(rest, kData)) return std::nullopt;
  const auto dp = take_number(rest, 1);
  if (!dp || !take(rest, kModelParallel)) return std::nullopt;
  const auto mp = take_number(rest, 2);
  if (!mp || (rest != kModelStates && rest != kOptimizerStates)) return std::nullopt;
  shard.kind = rest == kModelStates ? ShardKind::kModel : ShardKind::kOptimizer;
  if (shard.kind == ShardKind::kModel && !shard.prefix.empty()) return std::nullopt;
  shard.rank = {*dp, *mp};
  return shard;
}

ShardFiles find_shard_files(const std::string& path, const std::string& tag) {
  const fs::path root(path);
  if (!fs::is_directory(root)) {
    throw Error(
        CKB_INVALID_ARGUMENT,
        fmt::format("{}: is one file of a checkpoint of ZeRO stage 3, which is in many", path),
        {.file = path, .hint = "give the folder that holds them"});
  }
  ShardFiles files = tag.empty() ? files_directly_in(root) : ShardFiles{};
  if (files.models.empty() && files.optimizers.empty()) {
    files.folder = path;
    if (const auto tagged = tagged_folder(root, tag)) {
      files = files_directly_in(*tagged);
      files.below = (tagged->lexically_relative(root) / "").string();
    }
  }
  if (files.models.empty()) {
    throw Error(CKB_NOT_FOUND,
                fmt::format("{}/: no model files of ZeRO stage 3 ({}) here{}", files.folder,
                            file_name(ShardKind::kModel, {0, 0}, ""), hint_for(files.folder)),
                {.file = files.folder});
  }
  if (files.optimizers.empty()) {
    throw Error(CKB_NOT_FOUND,
                fmt::format("{}/: no optimizer files (bf16_{}) here; a checkpoint of ZeRO stage 3 "
                            "holds its parameters in them",
                            files.folder, file_name(ShardKind::kOptimizer, {0, 0}, "")),
                {.file = files.folder});
  }
  return files;
}

void require_all_ranks(const ShardFiles& files, std::int64_t dp_world, std::int64_t mp_world,
                       const std::string& dp_says, const std::string& mp_says) {
  for (const ShardKind kind : {ShardKind::kOptimizer, ShardKind::kModel}) {
    require_all(files, kind, dp_world, mp_world, dp_says, mp_says);
  }
}

int probe_shard_files(const std::string& path) {
  try {
    const auto name = shard_name_of(fs::path(path).filename().string());
    if (!fs::is_directory(path)) return name && name->kind == ShardKind::kModel ? 95 : 0;
    const int here = likeness_of(path);
    if (here > 0) return here;
    const auto tagged = tagged_folder(path, "");
    return tagged ? likeness_of(*tagged) : 0;
  } catch (const Error& error) {
    if (error.code() == CKB_IO) throw;
    return 0;  // a reader that is surer says what is wrong with "latest"
  }
}

}  // namespace ckptbridge::deepspeed
