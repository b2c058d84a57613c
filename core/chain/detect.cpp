#include "core/chain/detect.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/chain/recognise.h"
#include "core/disk/file.h"
#include "core/plugin_host/loaded_plugin.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Something lies beside input that is called as it is and more: model.pt.part0. Which of them
// belong together is the readers' business.
bool is_there_in_pieces(const fs::path& input) {
  const std::string name = input.filename().string();
  const fs::path folder = input.has_parent_path() ? input.parent_path() : fs::path(".");
  boost::system::error_code problem;
  for (fs::directory_iterator item(folder, problem), end; !problem && item != end;
       item.increment(problem)) {
    const std::string other = item->path().filename().string();
    if (other.size() > name.size() && other.starts_with(name) &&
        other.find("part", name.size()) != std::string::npos)
      return true;
  }
  return false;
}

// `did you mean "run1/global_step5"?` for what lies beside input under nearly its name.
std::string neighbour(const fs::path& input) {
  const fs::path folder = input.has_parent_path() ? input.parent_path() : fs::path(".");
  std::vector<std::string> names;
  boost::system::error_code problem;
  for (fs::directory_iterator item(folder, problem), end; !problem && item != end;
       item.increment(problem)) {
    const fs::path name = item->path().filename();
    names.push_back((input.has_parent_path() ? folder / name : name).string());
  }
  std::sort(names.begin(), names.end());
  return suggestion(input.string(), names);
}

// Folders whose names decide can be listed: input, and those directly in it.
void require_listable(const fs::path& input) {
  boost::system::error_code problem;
  if (!fs::is_directory(input, problem)) return;
  for (const std::string& name : sorted_entries(input)) {
    if (fs::is_directory(input / name, problem)) sorted_entries(input / name);
  }
}

}  // namespace

const Manifest& detect_reader(const Registry& registry, const Host& host, const fs::path& input,
                              const std::string& from) {
  if (!fs::exists(input) && !is_there_in_pieces(input)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: no such file or folder", input.string()),
                {.file = input.string(), .hint = neighbour(input)});
  }
  if (!from.empty()) return registry.require(Role::kReader, from);

  // A plugin's probe cannot say why it could not look.
  if (fs::is_regular_file(input)) {
    std::array<std::byte, 1> first{};
    File::open_to_read(input).read_at(0, first);
  }
  std::vector<const Manifest*> best;
  const Manifest* blind = nullptr;  // the first that could not look
  int surest = 1;                   // 0 is a no
  for (const Manifest* candidate : registry.candidates(input)) {
    const int sure = Plugin(*candidate, host.table()).probe(input.string());
    if (sure < 0 && blind == nullptr) blind = candidate;
    if (sure > surest) best.clear();
    if (sure >= surest) best.push_back(candidate), surest = sure;
  }
  if (best.size() == 1) return *best.front();
  if (best.empty() && blind != nullptr) return *blind;  // reading will tell why
  std::vector<std::string> formats;
  formats.reserve(best.size());
  for (const Manifest* reader : best) formats.push_back(reader->format);
  if (!best.empty()) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: it could be {}", input.string(), fmt::join(formats, " or ")),
                {.file = input.string(), .hint = "say which with --from"});
  }
  require_listable(input);
  if (const auto looks = recognise(registry, input); !looks.empty()) {
    throw Error(CKB_UNSUPPORTED, recognised_text(looks, input), {.file = input.string()});
  }
  throw Error(
      CKB_UNSUPPORTED,
      fmt::format("{}: no reader knows this format (it holds none of their files); there "
                  "are readers for {}; \"ckptbridge inspect {}\" says what it looks like",
                  input.string(), fmt::join(registry.formats(Role::kReader), ", "), input.string()),
      {.file = input.string()});
}

}  // namespace ckptbridge
