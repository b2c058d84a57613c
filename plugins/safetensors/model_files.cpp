#include "plugins/safetensors/model_files.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/text/json_object.h"

namespace ckptbridge::safetensors {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_that_end(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(ending) && entry.is_regular_file()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

ModelFiles find_model_files(const std::string& path) {
  const fs::path given(path);
  if (!fs::is_directory(given)) {
    return {given.parent_path().empty() ? "." : given.parent_path().string(),
            given.filename().string()};
  }
  for (const char* ending : {kIndexEnding, kEnding}) {
    const std::vector<std::string> names = names_that_end(given, ending);
    if (names.size() == 1) return {path, names.front()};
    if (names.size() > 1) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: {} files could be meant ({}, {}{}), {}; name the one to read",
                              path, names.size(), names[0], names[1], names.size() > 2 ? ", …" : "",
                              ending == kEnding ? "and no index joins them" : "each an index"));
    }
  }
  throw Error(CKB_NOT_FOUND, path + ": no *.safetensors in it", {.file = path});
}

std::map<std::string, std::string> parse_index(std::string_view text, const std::string& name) {
  const Json index = Json::parse(text, name);
  const JsonObject weights = JsonObject(index, name).object("weight_map");
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    const std::string in = file.is_string() ? file.text() : "";
    if (in.empty() || in == "." || in == ".." || in.find('/') != std::string::npos) {
      about({.tensor = tensor},
            [&, &at = tensor] { weights.expected(at, "the name of a file in this folder"); });
    }
    file_of.emplace(tensor, in);
  }
  return file_of;
}

std::string index_text(const std::map<std::string, std::string>& file_of,
                       std::uint64_t total_size) {
  const Json index = {{"metadata", {{"total_size", total_size}}}, {"weight_map", file_of}};
  return index.dump(2, true) + "\n";
}

}  // namespace ckptbridge::safetensors
