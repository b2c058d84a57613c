#include "core/commit/publish.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/disk/file.h"
#include "core/disk/output_files.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Loaders look for it before all else, so that an output is one from the moment when it appears.
constexpr const char* kLastName = "metadata.json";

// Every kLastName at and below `folder`.
std::vector<fs::path> last_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == kLastName) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Moves a file to `to`, and adds the folders that were made for it to `made`. Makes a folder again
// where another job, which failed, removed a folder that it had made and that was still empty.
void move_file(const fs::path& from, const fs::path& to, bool overwrite,
               std::vector<fs::path>& made) {
  constexpr int kTries = 10;
  for (int tries = 0;; ++tries) {
    try {
      for (const fs::path& folder : make_folders(to.parent_path())) made.push_back(folder);
      if (overwrite) return rename_entry(from, to);
      if (rename_if_free(from, to)) return;
    } catch (const Error& error) {
      if (error.code() != CKB_NOT_FOUND || tries == kTries) throw;
      continue;
    }
    throw Error(
        CKB_EXISTS, fmt::format("{}: was put there while this ran", to.string()),
        {.file = to.string(),
         .hint = "look at it, and pass --overwrite to replace it, or choose another place"});
  }
}

// The folders above the files, relative to the destination, deepest first; "" is the last.
std::vector<std::string> folders_above(const std::vector<std::string>& paths) {
  std::set<std::string> folders;
  for (const std::string& path : paths) {
    fs::path folder = fs::path(path).parent_path();
    while (folders.insert(folder.string()).second && !folder.empty()) folder = folder.parent_path();
  }
  return {folders.rbegin(), folders.rend()};  // "a/b" sorts behind "a"
}

}  // namespace

void publish_as_one(const fs::path& partial, const fs::path& out) {
  const fs::path output = partial / "output";
  const bool exists = fs::exists(out);
  const bool replace = exists && !fs::is_empty(out);
  // The new folder takes the place of one whose owner had chosen its permissions.
  if (exists) fs::permissions(output, fs::status(out).permissions());
  if (!replace) {
    rename_entry(output, out);
  } else if (!exchange_entries(output, out)) {
    const fs::path replaced = partial / "replaced";
    rename_entry(out, replaced);
    try {
      sync_folder(partial);
      rename_entry(output, out);
    } catch (...) {
      rename_entry(replaced, out);
      throw;
    }
  }
  sync_folder(out.parent_path());
  sync_folder(partial);
}

// Not one step, so it is recorded first what will be moved: the next run can take it back.
void publish_one_by_one(const fs::path& partial, const fs::path& out) {
  const fs::path output = partial / "output";
  const fs::path last = partial / "last";
  const std::vector<fs::path> last_ones = last_files(output);
  const std::vector<std::string> entries = sorted_entries(output);
  std::string names;
  for (const std::string& entry : entries) names += entry + "\n";
  create_small(partial / "publishing", names);
  sync_folder(partial);
  try {
    make_folder(last);
    for (size_t i = 0; i < last_ones.size(); ++i) {
      rename_entry(last_ones[i], last / std::to_string(i));
    }
    for (const std::string& entry : entries) {
      if (entry != kLastName) rename_entry(output / entry, out / entry);
    }
    sync_folder(out);
    for (size_t i = 0; i < last_ones.size(); ++i) {
      const fs::path to = out / fs::relative(last_ones[i], output);
      rename_entry(last / std::to_string(i), to);
      sync_folder(to.parent_path());
    }
    fs::remove(output);  // empty now: from here on the output is complete
  } catch (...) {
    withdraw_published(partial, out);
    throw;
  }
  sync_folder(partial);
}

void publish_files(const fs::path& partial, const fs::path& out, std::vector<std::string> paths,
                   bool overwrite) {
  std::stable_partition(paths.begin(), paths.end(), [](const std::string& path) {
    return fs::path(path).filename() != kLastName;
  });
  create_small(partial / "publishing", "");  // from here on, a part of output/ is elsewhere
  std::vector<fs::path> made;
  std::size_t done = 0;
  try {
    for (; done < paths.size(); ++done) {
      move_file(partial / "output" / paths[done], out / paths[done], overwrite, made);
    }
  } catch (const Error& error) {
    boost::system::error_code ignored;
    for (; !made.empty(); made.pop_back()) fs::remove(made.back(), ignored);  // if it is empty
    if (done == 0) throw;
    throw error.retold(error.code(),
                       fmt::format("{}; {} of {} files had appeared before, each of them "
                                   "complete",
                                   error.what(), done, paths.size()));
  }
  for (const std::string& folder : folders_above(paths)) sync_folder(out / folder);
}

// While output/ exists, a move into OUT was not finished, and the names in "publishing" are ours.
void withdraw_published(const fs::path& partial, const fs::path& out) {
  if (!fs::exists(partial / "output")) return;
  std::istringstream names(read_small(partial / "publishing"));
  for (std::string name; std::getline(names, name);) {
    require_output_path(name);
    if (name.find('/') == std::string::npos && name != partial.filename().string()) {
      fs::remove_all(out / name);
    }
  }
}

bool restore_replaced(const fs::path& partial, const fs::path& out) {
  const fs::path replaced = partial / "replaced";
  if (!fs::exists(replaced)) return false;
  if (!fs::exists(out)) {
    rename_entry(replaced, out);
    sync_folder(out.parent_path());
    return true;
  }
  if (fs::exists(partial / "output")) {
    throw Error(CKB_EXISTS,
                fmt::format("{}: was made after an interrupted run had moved the earlier one to {}",
                            out.string(), replaced.string()),
                {.file = out.string(),
                 .hint = fmt::format("decide which to keep, and remove {}", partial.string())});
  }
  return false;
}

}  // namespace ckptbridge
