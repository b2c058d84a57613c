#include "core/commit/skip_complete.h"

#include <cstring>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/disk/file.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// What of the file is not as the layout says; "" for nothing.
std::string difference(const Layout& layout, const OutputFile& file, const fs::path& path) {
  const File there = File::open_to_read(path);
  const std::uint64_t size = there.state().size;
  if (size != file.size) return fmt::format("it has {} bytes, not {}", size, file.size);
  std::vector<std::byte> found;
  for (const Segment& segment : file.segments) {
    if (segment.content != Content::kBytes) continue;
    found.resize(segment.size);
    const auto known = layout.bytes(segment);
    const std::size_t got = there.read_at(segment.offset, found);
    if (got != found.size() || std::memcmp(found.data(), known.data(), found.size()) != 0) {
      return fmt::format("its bytes [{}, {}) are others", segment.offset,
                         segment.offset + segment.size);
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> leave_out_complete(Layout& layout, const fs::path& out) {
  std::vector<std::string> complete;
  for (const OutputFile& file : layout.files()) {
    const fs::path path = out / file.path;
    if (!fs::exists(path)) continue;
    const std::string other = difference(layout, file, path);
    if (!other.empty()) {
      throw Error(CKB_EXISTS,
                  fmt::format("{}: is there, but is not complete or is of another checkpoint ({})",
                              path.string(), other),
                  {.file = path.string(),
                   .hint = "pass --overwrite to replace it, or choose another place"});
    }
    complete.push_back(file.path);
  }
  for (const std::string& path : complete) layout.remove_file(path);
  return complete;
}

}  // namespace ckptbridge
