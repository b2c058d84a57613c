#include "core/commit.h"

#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/file.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// Loaders look for it before all else, so that an output is one from the moment when it appears.
constexpr const char* kLastName = "metadata.json";

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool holds_only_partial(const fs::path& folder) {
  const std::vector<fs::path> entries = entries_of(folder);
  return std::all_of(entries.begin(), entries.end(),
                     [](const fs::path& entry) { return entry.filename() == kPartialInside; });
}

// Every kLastName at and below `folder`.
std::vector<fs::path> last_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == kLastName) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void require_staging_folder(const fs::path& partial) {
  if (fs::symlink_status(partial).type() == fs::directory_file &&
      (fs::is_empty(partial) || fs::exists(partial / "lock"))) {
    return;
  }
  throw Error(CKB_EXISTS, fmt::format("{}: is in the way and no staging folder of ckptbridge; move "
                                      "it away",
                                      partial.string()));
}

// Failures of Boost.Filesystem, which come with the paths, as ours.
template <typename Work>
void with_errors_of_this_program(Work work) {
  try {
    work();
  } catch (const fs::filesystem_error& error) {
    throw file_error(error.code().value(), error.path1(), "cannot be used");
  }
}

}  // namespace

Staging::Staging(Destination destination)
    : destination_(std::move(destination)), out_(resolved(destination_.path)) {
  try {
    with_errors_of_this_program([this] { begin(); });
  } catch (...) {
    discard();
    throw;
  }
}

Staging::~Staging() { discard(); }

void Staging::begin() {
  inside_ = fs::exists(out_ / kPartialInside);
  // Before anything is touched; but what a killed run had begun to move into OUT is not the user's.
  if (!inside_) require_destination(destination_);
  make_parents();
  make_partial();
  recover();
  require_destination_again();
  output_ = partial_ / "output";
  make_folder(output_);
}

void Staging::make_parents() {
  std::vector<fs::path> missing;
  for (fs::path at = out_.parent_path(); !at.empty() && !fs::exists(at); at = at.parent_path()) {
    missing.push_back(at);
  }
  std::reverse(missing.begin(), missing.end());
  for (const fs::path& folder : missing) {
    if (make_folder(folder)) made_.push_back(folder);
  }
}

void Staging::make_partial() {
  const fs::path beside = out_.string() + kPartialSuffix;
  const bool is_folder = fs::is_directory(out_);
  inside_ = inside_ || (is_folder && is_mount_point(out_));
  if (!inside_) {
    try {
      made_partial_ = make_folder(beside);
    } catch (const Error&) {
      if (!is_folder) throw;
      inside_ = true;
    }
  }
  partial_ = inside_ ? out_ / kPartialInside : beside;
  if (inside_) made_partial_ = make_folder(partial_);
  if (!made_partial_) require_staging_folder(partial_);
  const LockResult result = lock_folder(partial_, destination_.path.string());
  owned_ = true;
  if (result == LockResult::kTakenOver) {
    notes_.push_back(
        fmt::format("{}: cleared what an interrupted run had left", partial_.string()));
  }
}

// What a killed process left: OUT becomes what it was before that process, the rest goes.
void Staging::recover() {
  withdraw_published();
  restore_replaced();
  clear_partial(false);
}

// While output/ exists, a move into OUT was not finished, and the names in "publishing" are ours.
void Staging::withdraw_published() {
  if (!inside_ || !fs::exists(partial_ / "output")) return;
  std::istringstream names(read_small(partial_ / "publishing"));
  for (std::string name; std::getline(names, name);) {
    require_output_path(name);
    if (name.find('/') == std::string::npos && name != kPartialInside) {
      fs::remove_all(out_ / name);
    }
  }
}

void Staging::restore_replaced() {
  const fs::path replaced = partial_ / "replaced";
  if (!fs::exists(replaced)) return;
  if (!fs::exists(out_)) {
    rename_entry(replaced, out_);
    sync_folder(out_.parent_path());
    notes_.push_back(fmt::format("{}: put back what an interrupted run had moved aside",
                                 destination_.path.string()));
  } else if (fs::exists(partial_ / "output")) {
    throw Error(CKB_EXISTS,
                fmt::format("{}: was made after an interrupted run had moved the "
                            "earlier one to {}; decide which to keep, and remove {}",
                            destination_.path.string(), replaced.string(), partial_.string()));
  }
}

void Staging::require_destination_again() const {
  if (inside_) {
    if (holds_only_partial(out_)) return;
    if (!destination_.overwrite) require_destination(destination_);
    throw Error(CKB_EXISTS, fmt::format("{}: cannot be replaced in one step, as {} cannot be "
                                        "written to or it is a mount point; empty it, or choose "
                                        "another place",
                                        destination_.path.string(), out_.parent_path().string()));
  }
  require_destination(destination_);
}

// After a power cut, no name may be seen before its data. So, in this order: the data of each file
// and the names within output/ (sync_all); the names of folders made above OUT; then the rename,
// which is one step of the file system; then the folder in which the rename took place, so that
// the output stays once success was told; and only then is the earlier output removed.
void Staging::commit(OutputFiles& files, bool sync) {
  if (sync) files.sync_all();
  for (const fs::path& folder : made_) sync_folder(folder.parent_path());
  with_errors_of_this_program([this] {
    require_destination_again();
    if (inside_) {
      publish_one_by_one();
    } else {
      publish_as_one();
    }
  });
  made_.clear();
  try {
    clear_partial(true);
  } catch (const std::exception& error) {
    notes_.push_back(fmt::format("{}: was left behind: {}", partial_.string(), error.what()));
  }
  owned_ = false;
}

void Staging::publish_as_one() {
  const bool exists = fs::exists(out_);
  const bool replace = exists && !fs::is_empty(out_);
  // The new folder takes the place of one whose owner had chosen its permissions.
  if (exists) fs::permissions(output_, fs::status(out_).permissions());
  if (!replace) {
    rename_entry(output_, out_);
  } else if (!exchange_entries(output_, out_)) {
    const fs::path replaced = partial_ / "replaced";
    rename_entry(out_, replaced);
    try {
      sync_folder(partial_);
      rename_entry(output_, out_);
    } catch (...) {
      rename_entry(replaced, out_);
      throw;
    }
  }
  sync_folder(out_.parent_path());
  sync_folder(partial_);
}

// Not one step, so it is recorded first what will be moved: the next run can take it back.
void Staging::publish_one_by_one() {
  const fs::path last = partial_ / "last";
  const std::vector<fs::path> last_ones = last_files(output_);
  const std::vector<fs::path> entries = entries_of(output_);
  std::string names;
  for (const fs::path& entry : entries) names += entry.filename().string() + "\n";
  create_small(partial_ / "publishing", names);
  sync_folder(partial_);
  try {
    make_folder(last);
    for (size_t i = 0; i < last_ones.size(); ++i) {
      rename_entry(last_ones[i], last / std::to_string(i));
    }
    for (const fs::path& entry : entries) {
      if (entry.filename() != kLastName) rename_entry(entry, out_ / entry.filename());
    }
    sync_folder(out_);
    for (size_t i = 0; i < last_ones.size(); ++i) {
      const fs::path to = out_ / fs::relative(last_ones[i], output_);
      rename_entry(last / std::to_string(i), to);
      sync_folder(to.parent_path());
    }
    fs::remove(output_);  // empty now: from here on the output is complete
  } catch (...) {
    withdraw_published();
    throw;
  }
  sync_folder(partial_);
}

// The lock goes last, so that a folder with anything in it has an owner.
void Staging::clear_partial(bool with_lock) {
  for (const fs::path& entry : entries_of(partial_)) {
    if (entry.filename() != "lock") fs::remove_all(entry);
  }
  if (!with_lock) return;
  fs::remove(partial_ / "lock");
  fs::remove(partial_);
}

void Staging::discard() noexcept {
  boost::system::error_code ignored;
  try {
    if (owned_) {
      // An earlier output that could not be put back is not ours to remove; the next run tries.
      if (fs::exists(partial_ / "replaced")) restore_replaced();
      clear_partial(true);
    } else if (made_partial_) {
      fs::remove(partial_, ignored);  // if it is empty
    }
  } catch (...) {
    // What cannot be removed is left, with the lock: the next run clears it.
  }
  owned_ = false;
  for (; !made_.empty(); made_.pop_back()) {
    fs::remove(made_.back(), ignored);  // if it is empty
  }
}

}  // namespace ckptbridge
