#include "cli/verbs/result_file.h"

#include <algorithm>
#include <array>
#include <span>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/page/html_page.h"
#include "core/commit/destination.h"
#include "core/disk/file.h"

namespace ckptbridge::cli {
namespace {

namespace fs = boost::filesystem;

// Everything that a ResultFile holds begins with one of these: JSON, and pages.
constexpr std::array<std::string_view, 2> kMarks = {"{\n \"ckptbridge_", kPageMark};

bool lies_in(const fs::path& file, const fs::path& folder) {
  const fs::path relative = resolved(file).lexically_relative(resolved(folder));
  return !relative.empty() && *relative.begin() != "..";
}

bool is_ours(const fs::path& path) {
  if (!fs::is_regular_file(path)) return false;
  std::array<char, std::max(kMarks[0].size(), kMarks[1].size())> head{};
  const auto size = File::open_to_read(path).read_at(0, std::as_writable_bytes(std::span(head)));
  const std::string_view found(head.data(), size);
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [found](std::string_view mark) { return found.starts_with(mark); });
}

}  // namespace

ResultFile::ResultFile(const std::string& option, const std::string& path, const Request& request,
                       bool overwrite)
    : path_(path) {
  if (path.empty()) return;
  for (const fs::path& checkpoint : {request.input, request.output}) {
    if (!checkpoint.empty() && lies_in(path_, checkpoint)) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("{}: {} lies in {}, which holds a checkpoint and nothing else",
                              option, path, checkpoint.string()),
                  {.file = path, .hint = "give a file beside it"});
    }
  }
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) {
    throw Error(CKB_NOT_FOUND, fmt::format("{}: {}: no such folder", option, folder.string()),
                {.file = folder.string()});
  }
  if (fs::exists(path_) && !(overwrite && is_ours(path_))) {
    throw Error(CKB_EXISTS,
                fmt::format("{}: {} exists already{}", option, path,
                            overwrite ? ", and is not of this program" : ""),
                {.file = path, .hint = overwrite ? "" : "--overwrite replaces it"});
  }
}

void ResultFile::write(const std::string& text) const {
  const fs::path staging = path_.string() + fmt::format(".{}.partial", getpid());
  try {
    File file = File::create(staging, text.size());
    file.write_at(0, std::as_bytes(std::span(text)));
    file.sync();
    file.close();
    rename_entry(staging, path_);
  } catch (...) {
    boost::system::error_code ignored;
    fs::remove(staging, ignored);
    throw;
  }
}

std::string read_result_file(const fs::path& path) {
  constexpr std::uint64_t kMost = std::uint64_t{256} << 20;
  const File file = File::open_to_read(path);
  const std::uint64_t size = file.state().size;
  if (size > kMost) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} bytes are too many for such a file, at most {}", path.string(),
                            size, kMost),
                {.file = path.string()});
  }
  std::string text(size, '\0');
  text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace ckptbridge::cli
