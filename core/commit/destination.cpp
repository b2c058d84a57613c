#include "core/commit/destination.h"

#include <algorithm>
#include <cerrno>
#include <fnmatch.h>
#include <set>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include "core/disk/file.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

Error bad_path(const fs::path& path, const std::string& what) {
  return {
      CKB_INVALID_ARGUMENT, fmt::format("{}: {}", path.string(), what), {.file = path.string()}};
}

// The same folder counts as inside.
bool is_inside(const fs::path& path, const fs::path& folder) {
  auto part = path.begin();
  for (const fs::path& expected : folder) {
    if (part == path.end() || *part != expected) return false;
    ++part;
  }
  return true;
}

// What an earlier output may consist of.
class Recognised {
 public:
  explicit Recognised(const Destination& destination) : own_(destination.own) {
    for (const std::string& path : destination.paths) {
      files_.insert(path);
      for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
        folders_.insert(path.substr(0, at));
      }
    }
  }

  // The first entry, relative to `out`, that is not recognised; "" if all are. Links are not
  // followed: no writer makes any.
  std::string first_foreign(const fs::path& out, const std::string& below) const {
    for (const std::string& name : sorted_entries(below.empty() ? out : out / below)) {
      boost::system::error_code ignored;
      std::string path = (fs::path(below) / name).string();
      const fs::file_type type = fs::symlink_status(out / path, ignored).type();
      if (type == fs::regular_file) {
        if (!is_own_file(path)) return path;
        continue;
      }
      if (type != fs::directory_file) return path;
      const bool is_empty = sorted_entries(out / path).empty();
      if (is_empty && folders_.count(path) == 0) return path + "/";
      std::string foreign = is_empty ? "" : first_foreign(out, path);
      if (!foreign.empty()) return foreign;
    }
    return "";
  }

 private:
  bool is_own_file(const std::string& path) const {
    return files_.count(path) != 0 ||
           std::any_of(own_.begin(), own_.end(), [&](const std::string& pattern) {
             return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
           });
  }

  std::set<std::string> files_;
  std::set<std::string> folders_;
  std::vector<std::string> own_;
};

// With commas: 1,048,576.
std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

// With one slash at the front: Boost takes "//x" for the root of a host x.
fs::path plain_absolute(const fs::path& path) {
  const std::string& text = path.string();
  const size_t first = text.find_first_not_of('/');
  if (first == 0) return fs::absolute(path);
  return "/" + (first == std::string::npos ? "" : text.substr(first));
}

fs::path nearest_existing(fs::path path) {
  boost::system::error_code error;
  while (!fs::exists(path, error) && path.has_parent_path()) path = path.parent_path();
  return path;
}

}  // namespace

fs::path resolved(const fs::path& out) {
  if (out.empty()) throw Error(CKB_INVALID_ARGUMENT, "the output path is empty");
  boost::system::error_code error;
  const bool is_link = fs::symlink_status(out, error).type() == fs::symlink_file;
  if (is_link && !fs::exists(out, error)) {
    throw Error(CKB_EXISTS,
                fmt::format("{}: is a link to {}, where nothing is", out.string(),
                            fs::read_symlink(out, error).string()),
                {.file = out.string(), .hint = "remove the link, or make that folder"});
  }
  fs::path path = fs::weakly_canonical(plain_absolute(out), error);
  if (error) throw file_error(error.value(), out, "cannot be examined");
  if (path.filename() == ".") path = path.parent_path();  // what a trailing slash leaves
  if (path == path.root_path()) throw bad_path(out, "is the root folder; choose one below it");
  return path;
}

// None of the files of a job is there, or they may be replaced.
static void require_free_files(const Destination& destination, const fs::path& out) {
  for (const std::string& path : destination.paths) {
    const fs::path shown = destination.path / path;
    boost::system::error_code error;
    const fs::file_type type = fs::symlink_status(out / path, error).type();
    if (type == fs::file_not_found) continue;
    if (type == fs::status_error) throw file_error(error.value(), shown, "cannot be examined");
    if (type != fs::regular_file) {
      throw Error(CKB_EXISTS, fmt::format("{}: is there and no file", shown.string()),
                  {.file = shown.string(), .hint = "choose another place, or move it away"});
    }
    if (!destination.overwrite) {
      throw Error(CKB_EXISTS, fmt::format("{}: is there already", shown.string()),
                  {.file = shown.string(),
                   .hint = "pass --overwrite to replace it, or choose another place"});
    }
  }
}

void require_destination(const Destination& destination) {
  const fs::path& shown = destination.path;
  const fs::path out = resolved(shown);
  boost::system::error_code error;
  const fs::file_type type = fs::symlink_status(out, error).type();
  if (type == fs::file_not_found) return;
  if (type == fs::status_error) throw file_error(error.value(), shown, "cannot be examined");
  if (type != fs::directory_file) {
    throw Error(CKB_EXISTS, fmt::format("{}: is there and no folder", shown.string()),
                {.file = shown.string(), .hint = "choose another place, or move it away"});
  }
  if (!destination.job.empty()) return require_free_files(destination, out);
  const std::vector<std::string> entries = sorted_entries(out);
  const auto first = std::find_if(entries.begin(), entries.end(),
                                  [](const std::string& name) { return name != kPartialInside; });
  if (first == entries.end()) return;
  if (!destination.overwrite) {
    throw Error(CKB_EXISTS, fmt::format("{}: is not empty (it has {})", shown.string(), *first),
                {.file = shown.string(),
                 .hint = "choose another place, or pass --overwrite to replace an earlier output"});
  }
  const std::string foreign = Recognised(destination).first_foreign(out, "");
  if (!foreign.empty()) {
    throw Error(
        CKB_EXISTS,
        fmt::format("{}: --overwrite replaces only what this writer made, and {} is something else",
                    shown.string(), foreign),
        {.file = shown.string(), .hint = "move it away, or choose another place"});
  }
}

// True if the folder has files that are named after this one: x.pt.part0 after x.pt.
static bool lies_in_pieces(const fs::path& file) {
  boost::system::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path(), error)) {
    if (entry.path().filename().string().starts_with(file.filename().string() + ".part"))
      return true;
  }
  return false;
}

fs::path partial_beside(const fs::path& out) { return out.string() + kPartialSuffix; }

fs::path partial_inside(const fs::path& out, const std::string& job) {
  return out / (job.empty() ? kPartialInside : kPartialInside + ("-" + job));
}

void require_separate(const fs::path& in, const fs::path& out) {
  boost::system::error_code error;
  // Of a file in pieces (x.pt.part0), x.pt itself need not be there.
  const fs::path from = fs::weakly_canonical(plain_absolute(in), error);
  if (!error && !fs::exists(from) && !lies_in_pieces(from)) {
    error = boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory);
  }
  if (error) throw file_error(error.value(), in, "cannot be opened");
  const fs::path to = resolved(out);
  const fs::path partial = partial_beside(to);
  if (from == to) throw bad_path(out, fmt::format("is the input {} itself", in.string()));
  if (is_inside(to, from)) throw bad_path(out, fmt::format("lies in the input {}", in.string()));
  if (is_inside(from, to)) throw bad_path(out, fmt::format("contains the input {}", in.string()));
  if (is_inside(from, partial)) {
    throw bad_path(out, fmt::format("its staging folder {} contains the input {}", partial.string(),
                                    in.string()));
  }
}

void require_space(const fs::path& path, uint64_t bytes, uint64_t files) {
  const fs::path place = nearest_existing(plain_absolute(path));
  struct statvfs found {};
  if (::statvfs(place.c_str(), &found) != 0) {
    throw file_error(errno, place, "its free space cannot be asked for");
  }
  const bool is_root = ::geteuid() == 0;  // may use what is kept in reserve
  const uint64_t blocks = is_root ? found.f_bfree : found.f_bavail;
  const uint64_t unit = std::max<uint64_t>(found.f_frsize, 1);
  const uint64_t free_bytes = blocks > UINT64_MAX / unit ? UINT64_MAX : blocks * unit;
  if (found.f_blocks != 0 && bytes > free_bytes) {
    throw Error(
        CKB_IO,
        fmt::format("{}: the output needs {} bytes, {} are free", path.string(), grouped(bytes),
                    grouped(free_bytes)),
        {.file = path.string(), .hint = "free some space, or choose a place on another disk"});
  }
  const uint64_t free_files = is_root ? found.f_ffree : found.f_favail;
  if (found.f_files != 0 && files > free_files) {
    throw Error(
        CKB_IO,
        fmt::format("{}: the output needs {} files, the file system has room for {} more (inodes)",
                    path.string(), grouped(files), grouped(free_files)),
        {.file = path.string(), .hint = "remove some, or choose another disk"});
  }
}

}  // namespace ckptbridge
