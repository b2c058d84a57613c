#include "plugins/nemo2/input_folder.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "core/text/json_object.h"
#include "plugins/nemo2/nemo2_folder.h"
#include "plugins/nemo2/stored_pt.h"
#include "plugins/state_dict/run_facts.h"

namespace ckptbridge::nemo2 {
namespace {

namespace fs = std::filesystem;

constexpr char kMetadataJson[] = "metadata.json";
constexpr char kBackend[] = "sharded_backend";
constexpr std::uint64_t kMaxMetadataJson = std::uint64_t{1} << 20;
// Tokenizers are the largest that real contexts hold.
constexpr std::uint64_t kMaxContextFile = std::uint64_t{64} << 20;
constexpr std::size_t kMaxContextFiles = 4096;

bool is_there(const fs::path& path) {
  std::error_code problem;
  return fs::exists(path, problem);
}

bool is_folder(const fs::path& path) {
  std::error_code problem;
  return fs::is_directory(path, problem);
}

torch_file::Bytes read_all(const plugin::Graph& graph, ckb_file file) {
  torch_file::Bytes bytes(graph.file_size(file));
  graph.read_file(file, 0, bytes);
  return bytes;
}

// NeMo puts IN-unfinished beside IN before it saves, and takes it away after.
void require_finished(const InputFolder& folder) {
  std::error_code problem;
  fs::path whole = fs::absolute(folder.path, problem).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::vector<fs::path> candidates{whole};
  if (whole.filename() == "weights") candidates.push_back(whole.parent_path());
  for (const fs::path& candidate : candidates) {
    const fs::path marker = candidate.string() + "-unfinished";
    if (!is_there(marker)) continue;
    throw Error(
        CKB_CORRUPT,
        fmt::format("{}: was not saved to its end, as {} beside it says", folder.path.string(),
                    marker.filename().string()),
        {.file = folder.path.string(),
         .hint =
             "take another checkpoint, or remove that file if you know that this one is whole"});
  }
}

// Files below a folder, relative to it, by name.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::recursive_directory_iterator item(folder, problem), end; !problem && item != end;
       item.increment(problem)) {
    std::error_code no_file;
    if (!item->is_regular_file(no_file)) continue;
    names.push_back(item->path().lexically_relative(folder).generic_string());
    if (names.size() > kMaxContextFiles) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: holds more than {} files; a context holds few", folder.string(),
                              kMaxContextFiles),
                  {.file = folder.string()});
    }
  }
  if (problem) {
    throw Error(CKB_IO, fmt::format("{}: cannot be listed: {}", folder.string(), problem.message()),
                {.file = folder.string()});
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

InputFolder find_input_folder(const std::string& path) noexcept {
  InputFolder folder{path, ""};
  const fs::path inside = folder.path / "weights";
  if (is_folder(inside) && !is_there(folder.path / kMetadataJson) &&
      !is_there(folder.path / ".metadata")) {
    folder.weights = "weights/";
  }
  return folder;
}

std::string backend_of(const InputFolder& folder) {
  const fs::path path = folder.weights_path() / kMetadataJson;
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxMetadataJson, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (!in.is_open() && is_there(path))) {
    throw Error(CKB_IO, path.string() + ": cannot be read", {.file = path.string()});
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  try {
    const Json metadata = Json::parse(text);
    return JsonObject(metadata, "").string(kBackend);
  } catch (const Error&) {
    return "";
  }
}

bool require_backend(plugin::Graph& out, const InputFolder& folder, std::string_view backend) {
  require_finished(folder);
  if (!is_there(folder.weights_path() / kMetadataJson)) return false;
  const std::string name = folder.weights + kMetadataJson;
  const ckb_file file = out.open_file(name);
  if (out.file_size(file) > kMaxMetadataJson) {
    throw Error(
        CKB_CORRUPT,
        fmt::format("{}: has {} bytes, expected a few lines of JSON", name, out.file_size(file)),
        {.file = name});
  }
  const torch_file::Bytes bytes = read_all(out, file);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  about({.file = name}, [&] {
    const Json metadata = Json::parse({text, bytes.size()}, name);
    JsonObject members(metadata, name);
    if (members.string(kBackend) != backend) {
      members.expected(kBackend, fmt::format("\"{}\"", backend), CKB_UNSUPPORTED);
    }
    const Json* version = members.find("sharded_backend_version");
    if (version != nullptr && *version != 1) {
      members.expected("sharded_backend_version", "1", CKB_UNSUPPORTED);
    }
  });
  return true;
}

void add_context(plugin::Graph& out, const InputFolder& folder) {
  const fs::path context = folder.path / "context";
  if (!is_folder(context)) {
    std::error_code problem;
    const fs::path whole = fs::absolute(folder.path, problem).lexically_normal();
    const fs::path above =
        whole.has_filename() ? whole.parent_path() : whole.parent_path().parent_path();
    if (is_there(above / "context" / "io.json")) {
      out.note(fmt::format("the context beside the weights was not read; give {} to have it, too",
                           above.string()));
    }
    return;
  }
  for (const std::string& file_name : files_below(context)) {
    const std::string name = "context/" + file_name;
    const ckb_file file = out.open_file(name);
    if (out.file_size(file) > kMaxContextFile) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: has {} bytes; a file of a context has at most {}", name,
                              out.file_size(file), kMaxContextFile),
                  {.file = name});
    }
    out.add_object(name, name == kContextJson ? "json" : "bytes", read_all(out, file));
  }
}

bool has_common(const InputFolder& folder) { return is_there(folder.weights_path() / "common.pt"); }

void add_common(plugin::Graph& out, const InputFolder& folder) {
  const std::string name = folder.weights + "common.pt";
  const ckb_file file = out.open_file(name);
  about({.file = name}, [&] {
    StoredPt pt(out, file, 0, out.file_size(file), name);
    state_dict::add_run_facts(out, pt.values(), pt.root());
    pt.add_object(kCommon, pt.root());
    pt.drop_rest();
  });
}

bool is_optimizer_state(std::string_view key) {
  constexpr std::string_view kChained = "chained_";
  if (key.starts_with(kChained)) {
    key.remove_prefix(kChained.size());
    while (!key.empty() && std::isdigit(static_cast<unsigned char>(key.front()))) {
      key.remove_prefix(1);
    }
    if (key.starts_with('.')) key.remove_prefix(1);
  }
  return key.starts_with("optimizer.");
}

bool is_megatron_name(std::string_view key) {
  return key.starts_with("module.") || key.starts_with("decoder.") || key.starts_with("embedding.");
}

}  // namespace ckptbridge::nemo2
