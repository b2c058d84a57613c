#include "core/commit/staging.h"

#include <algorithm>
#include <exception>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/commit/publish.h"
#include "core/disk/file.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

bool holds_only_partial(const fs::path& folder) {
  const std::vector<std::string> entries = sorted_entries(folder);
  return std::all_of(entries.begin(), entries.end(),
                     [](const std::string& entry) { return entry == kPartialInside; });
}

// What a killed or stopped run may leave: a lock and more, a journal and more, or next to nothing.
bool is_staging_folder(const fs::path& partial) {
  if (fs::symlink_status(partial).type() != fs::directory_file) return false;
  if (fs::exists(partial / "lock") || fs::exists(partial / "journal")) return true;
  const auto names = sorted_entries(partial);
  return std::all_of(names.begin(), names.end(), is_of_lock);
}

void require_staging_folder(const fs::path& partial) {
  if (is_staging_folder(partial)) return;
  throw Error(
      CKB_EXISTS,
      fmt::format("{}: is in the way and no staging folder of ckptbridge", partial.string()),
      {.file = partial.string(), .hint = "move it away"});
}

// Another job may have made OUT and not be done. Who may not read the folder above it did not make
// it just now.
void sync_name_of_shared(const fs::path& out) {
  try {
    sync_folder(out.parent_path());
  } catch (const Error&) {
    if (::faccessat(AT_FDCWD, out.parent_path().c_str(), R_OK, AT_EACCESS) == 0) throw;
  }
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
    if (is_interrupted_) keep();  // for a run that finds the destination free
    discard();
    throw;
  }
}

Staging::~Staging() { discard(); }

void Staging::begin() {
  inside_ = destination_.job.empty() && fs::exists(partial_inside(out_));
  // Before anything is touched; but what a killed run had begun to move into OUT is not the user's.
  if (!inside_) require_destination(destination_);
  if (destination_.job.empty()) {
    make_partial();
  } else {
    make_partial_for_job();
  }
  take_partial();
  recover();
  require_destination_again();
  output_ = partial_ / "output";
  make_folder(output_);
}

void Staging::make_partial() {
  made_ = make_folders(out_.parent_path());
  const fs::path beside = partial_beside(out_);
  const bool is_folder = fs::is_directory(out_);
  inside_ = inside_ || (is_folder && is_mount_point(out_));
  if (!inside_) {
    try {
      made_partial_ = make_folder(beside);
    } catch (const Error&) {
      // Where nothing may be made beside OUT, all happens inside it, if it is there. Any other
      // failure is one of the disk.
      const fs::path above = out_.parent_path();
      if (!is_folder || ::faccessat(AT_FDCWD, above.c_str(), W_OK, AT_EACCESS) == 0) throw;
      inside_ = true;
    }
  }
  partial_ = inside_ ? partial_inside(out_) : beside;
  if (inside_) made_partial_ = make_folder(partial_);
}

// Inside OUT: while it is there, no other job finds OUT empty and removes it.
void Staging::make_partial_for_job() {
  constexpr int kTries = 10;
  require_output_path(destination_.job);
  partial_ = partial_inside(out_, destination_.job);
  for (int tries = 0;; ++tries) {
    try {
      for (const fs::path& folder : make_folders(out_)) made_.push_back(folder);
      made_partial_ = make_folder(partial_);
      return;
    } catch (const Error& error) {
      // A job that failed has removed OUT between these two lines, as it had made it.
      if (error.code() != CKB_NOT_FOUND || tries == kTries) throw;
    }
  }
}

void Staging::take_partial() {
  if (!made_partial_) require_staging_folder(partial_);
  const LockResult result = lock_folder(partial_, destination_.path.string());
  owned_ = true;
  is_taken_over_ = result == LockResult::kTakenOver;
}

// What a killed process left: OUT becomes what it was before that process, and the rest goes, if no
// run can go on with it.
void Staging::recover() {
  if (inside_) withdraw_published(partial_, out_);
  if (restore_replaced(partial_, out_)) {
    notes_.push_back(fmt::format("{}: put back what an interrupted run had moved aside",
                                 destination_.path.string()));
  }
  is_interrupted_ = fs::exists(partial_ / "journal") && fs::exists(partial_ / "output") &&
                    !fs::exists(partial_ / "publishing");
  if (is_interrupted_) return;
  clear_partial(false);
  if (is_taken_over_) note_cleared();
}

void Staging::note_cleared() {
  notes_.push_back(fmt::format("{}: cleared what an interrupted run had left", partial_.string()));
}

void Staging::restart() {
  with_errors_of_this_program([this] { clear_partial(false); });
  make_folder(output_);
  note_cleared();
  is_interrupted_ = false;
}

void Staging::require_destination_again() const {
  if (inside_) {
    if (holds_only_partial(out_)) return;
    if (!destination_.overwrite) require_destination(destination_);
    throw Error(
        CKB_EXISTS,
        fmt::format(
            "{}: cannot be replaced in one step, as {} cannot be written to or it is a mount point",
            destination_.path.string(), out_.parent_path().string()),
        {.file = destination_.path.string(), .hint = "empty it, or choose another place"});
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
    if (!destination_.job.empty()) {
      sync_name_of_shared(out_);
      publish_files(partial_, out_, destination_.paths, destination_.overwrite);
    } else if (inside_) {
      publish_one_by_one(partial_, out_);
    } else {
      publish_as_one(partial_, out_);
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

// The lock goes last, so that a folder with anything in it has an owner.
void Staging::clear_partial(bool with_lock) {
  for (const std::string& entry : sorted_entries(partial_)) {
    if (entry != "lock") fs::remove_all(partial_ / entry);
  }
  if (!with_lock) return;
  fs::remove(partial_ / "lock");
  fs::remove(partial_);
}

void Staging::keep() noexcept {
  boost::system::error_code ignored;
  if (owned_) fs::remove(partial_ / "lock", ignored);
  owned_ = false;
  made_partial_ = false;
  made_.clear();
}

void Staging::discard() noexcept {
  boost::system::error_code ignored;
  try {
    if (owned_) {
      // An earlier output that could not be put back is not ours to remove; the next run tries.
      restore_replaced(partial_, out_);
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

void clear_interrupted(Destination destination) {
  destination.overwrite = true;
  const fs::path out = resolved(destination.path);
  const std::string job = destination.job.empty() ? "" : "-" + destination.job;
  if (fs::exists(out.string() + kPartialSuffix) || fs::exists(out / (kPartialInside + job))) {
    Staging staging(std::move(destination));
  }
}

}  // namespace ckptbridge
