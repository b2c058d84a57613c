#include "core/text/json_file.h"

#include <array>
#include <fstream>
#include <string>

#include "ckptbridge/error.hpp"

namespace ckptbridge {

Json read_json(const std::filesystem::path& file, const JsonRules& rules) {
  constexpr std::size_t kMaxFileSize = 1 << 20;
  const std::string path = file.string();
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(CKB_NOT_FOUND, path + ": cannot be opened", {.file = path});
  std::string text;
  std::array<char, 16384> piece{};
  while (stream && text.size() <= kMaxFileSize) {
    stream.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw Error(CKB_IO, path + ": cannot be read", {.file = path});
  if (text.size() > kMaxFileSize) {
    throw Error(CKB_CORRUPT, path + ": is larger than 1 MiB", {.file = path});
  }
  return about({.file = path}, [&] { return Json::parse(text, path, rules); });
}

}  // namespace ckptbridge
