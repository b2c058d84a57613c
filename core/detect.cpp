#include "core/detect.h"

#include <array>
#include <cstddef>
#include <vector>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/file.h"
#include "core/library.h"
#include "core/recognise.h"

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

}  // namespace

const Manifest& detect_reader(const Registry& registry, const Host& host, const fs::path& input,
                              const std::string& from) {
  if (!fs::exists(input) && !is_there_in_pieces(input)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: no such file or folder", input.string()));
  }
  if (!from.empty()) return registry.require(Role::kReader, from);

  // A plugin's probe only knows yes and no.
  if (fs::is_regular_file(input)) {
    std::array<std::byte, 1> first{};
    File::open_to_read(input).read_at(0, first);
  }
  std::vector<const Manifest*> best;
  int surest = 1;  // 0 is a no
  for (const Manifest* candidate : registry.candidates(input)) {
    const int sure = Plugin(*candidate, host.table()).probe(input.string());
    if (sure > surest) best.clear();
    if (sure >= surest) best.push_back(candidate), surest = sure;
  }
  if (best.size() == 1) return *best.front();
  std::vector<std::string> formats;
  formats.reserve(best.size());
  for (const Manifest* reader : best) formats.push_back(reader->format);
  if (!best.empty()) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: it could be {}; say which with --from",
                                                  input.string(), fmt::join(formats, " or ")));
  }
  if (const auto looks = recognise(registry, input); !looks.empty()) {
    throw Error(CKB_UNSUPPORTED, recognised_text(looks, input));
  }
  throw Error(CKB_UNSUPPORTED,
              fmt::format("{}: no reader knows this format (it holds none of their files); there "
                          "are readers for {}; \"ckptbridge inspect {}\" says what it looks like",
                          input.string(), fmt::join(registry.formats(Role::kReader), ", "),
                          input.string()));
}

}  // namespace ckptbridge
