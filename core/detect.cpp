#include "core/detect.h"

#include <vector>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/library.h"
#include "core/recognise.h"

namespace ckptbridge {

const Manifest& detect_reader(const Registry& registry, const Host& host,
                              const boost::filesystem::path& input, const std::string& from) {
  if (!boost::filesystem::exists(input)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: no such file or folder", input.string()));
  }
  if (!from.empty()) return registry.require(Role::kReader, from);

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
