#include "plugins/deepspeed/pieces.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge::deepspeed {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".pt";
constexpr std::string_view kPart = "part";
constexpr std::size_t kMaxDigits = 6;

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

bool begins_as_torch_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, torch_file::kTorchFileHead> head{};
  in.read(head.data(), head.size());
  const auto size = static_cast<std::size_t>(in.gcount());
  return torch_file::starts_as_torch_file(std::as_bytes(std::span(head).first(size)));
}

}  // namespace

std::optional<PieceName> piece_name_of(const std::string& file_name) {
  std::string_view rest = file_name;
  const std::size_t last = rest.find_last_not_of("0123456789");
  if (last == std::string_view::npos) return std::nullopt;
  const std::size_t digits = rest.size() - last - 1;
  if (digits == 0 || digits > kMaxDigits) return std::nullopt;
  const std::string prefix(rest.substr(0, last + 1));
  const std::uint64_t number = std::stoul(file_name.substr(last + 1));
  rest = prefix;
  if (is_separator(rest.back())) rest.remove_suffix(1);
  if (!rest.ends_with(kPart)) return std::nullopt;
  rest.remove_suffix(kPart.size());
  if (rest.empty() || !is_separator(rest.back())) return std::nullopt;
  rest.remove_suffix(1);
  if (!rest.ends_with(kSuffix) || rest.size() == kSuffix.size()) return std::nullopt;
  return PieceName{std::string(rest), prefix, digits, number};
}

std::map<std::string, FileParts> files_in(const std::string& folder) {
  std::map<std::string, FileParts> files;
  std::error_code problem;
  const fs::directory_iterator entries(folder.empty() ? "." : folder, problem);
  if (problem) {
    throw Error(problem == std::errc::no_such_file_or_directory ? CKB_NOT_FOUND : CKB_IO,
                fmt::format("{}: cannot be listed: {}", folder, problem.message()),
                {.file = folder});
  }
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (const auto piece = piece_name_of(name)) {
      const auto [it, added] = files[piece->stem].pieces.emplace(piece->number, name);
      if (!added) {
        throw Error(
            CKB_CORRUPT,
            fmt::format("{}: {} and {} are both piece {}", folder, std::min(name, it->second),
                        std::max(name, it->second), piece->number),
            {.file = (fs::path(folder) / name).string()});
      }
    } else if (name.ends_with(kSuffix)) {
      files[name].is_whole = true;
    }
  }
  return files;
}

LogicalFile in_order(const std::string& folder, const std::string& stem, const FileParts& parts) {
  if (parts.pieces.empty()) return {stem, {stem}};
  LogicalFile file{stem, {}};
  const auto& [lowest, first] = *parts.pieces.begin();
  const std::uint64_t base = lowest == 1 && begins_as_torch_file(fs::path(folder) / first) ? 1 : 0;
  for (const auto& [number, name] : parts.pieces) {
    const std::uint64_t expected = base + file.pieces.size();
    if (number != expected) {
      const PieceName known = piece_name_of(first).value();
      throw Error(
          CKB_NOT_FOUND,
          fmt::format("{}: piece {} is missing: no {}{:0{}}, though there is {} ({} "
                      "piece{} found)",
                      (fs::path(folder) / stem).string(), expected, known.prefix, expected,
                      known.digits, name, parts.pieces.size(), parts.pieces.size() == 1 ? "" : "s"),
          {.file = (fs::path(folder) / stem).string()});
    }
    file.pieces.push_back(name);
  }
  return file;
}

}  // namespace ckptbridge::deepspeed
