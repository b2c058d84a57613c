// Staging: an output is made where nobody looks, and appears at its destination all at once.
//
//   OUT.ckptbridge-partial/      beside OUT; or OUT/.ckptbridge-partial/ where the folder above is
//                                not ours to write, or OUT is a mount point; for one of several
//                                jobs that share OUT, OUT/.ckptbridge-partial-JOB/
//     lock                       host and process that work here; see lock.h
//     journal                    what of it is made; see journal.h
//     output/                    what will be OUT, or be moved into it
//     replaced/                  the earlier OUT, for a moment, where entries cannot be exchanged
//     publishing                 where the staging folder lies in OUT: a list of the names that are
//                                being moved into OUT; empty for a job
//     last/                      there, too, but not for a job: each metadata.json, which is moved
//                                last, because loaders look for it first
//
// If the process is killed at any moment, OUT is as before or complete, or the next run restores
// what was before. For a job, this holds for each file: files that have appeared stay.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/commit/destination.h"
#include "core/commit/lock.h"
#include "core/disk/output_files.h"

namespace ckptbridge {

class Staging {
 public:
  // Checks the destination, makes and locks the staging folder. Clears what a dead process of this
  // host left there, which notes() tells, unless there is a journal and publishing had not begun.
  // Throws EXISTS where the destination is taken (require_destination) or another process works on
  // the output, and IO without permission.
  explicit Staging(Destination destination);
  // Discards what was not committed.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // OUT as the user wrote it.
  const boost::filesystem::path& destination() const { return destination_.path; }

  // An interrupted run left folder() as it is, with a journal in partial().
  bool is_interrupted() const { return is_interrupted_; }
  // Clears what the interrupted run left.
  void restart();

  // Exists, and is empty but for what an interrupted run left: the folder for OutputFiles.
  const boost::filesystem::path& folder() const { return output_; }
  const boost::filesystem::path& partial() const { return partial_; }
  // What the user should be told, one sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

  // Brings `files`, which lie in folder(), to the disk (without sync, only a power cut can still
  // lose them), and then to the destination. If this throws, the destination is as before, or,
  // where the disk failed after the last rename, complete.
  void commit(OutputFiles& files, bool sync = true);

  // Leaves all as it is, unlocked, for a run that goes on with it. Never fails; if the lock cannot
  // be removed, it is that of a dead process soon.
  void keep() noexcept;

  // Removes all that this object made, folders above OUT included. Never fails; what it cannot
  // remove, it leaves. After commit() it does nothing.
  void discard() noexcept;

 private:
  void begin();
  void make_partial();
  void make_partial_for_job();
  void take_partial();
  void recover();
  void require_destination_again() const;
  void note_cleared();
  void clear_partial(bool with_lock);

  Destination destination_;
  boost::filesystem::path out_;      // resolved
  boost::filesystem::path partial_;  // the staging folder
  boost::filesystem::path output_;   // partial_ / "output"
  bool inside_ = false;              // partial_ lies in OUT
  bool made_partial_ = false;
  bool is_taken_over_ = false;  // from a dead process
  bool is_interrupted_ = false;
  bool owned_ = false;                         // partial_ is locked by this object
  std::vector<boost::filesystem::path> made_;  // folders above partial_, outermost first
  std::vector<std::string> notes_;
};

// Clears what a killed process left of its staging folder, if it did. The destination holds what is
// to be made.
void clear_interrupted(Destination destination);

}  // namespace ckptbridge
