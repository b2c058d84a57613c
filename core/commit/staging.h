// Staging: an output is made where nobody looks, and appears at its destination all at once.
//
//   OUT.ckptbridge-partial/      beside OUT; or OUT/.ckptbridge-partial/ where the folder above is
//                                not ours to write, or OUT is a mount point; for one of several
//                                jobs that share OUT, OUT/.ckptbridge-partial-JOB/
//     lock                       host and process that work here; see lock.h
//     journal                    what of it is made; see journal.h
//     output/                    what will be OUT, or be moved into it
//     replaced/                  the earlier OUT, for a moment, where entries cannot be exchanged
//     publishing, last/          inside OUT only: names being moved into it; what comes last
//                                (of a job: publishing alone, and empty)
//
// Killed at any moment, OUT is the old state or the new one, or the next run makes it the old one.
// Of a job, that holds for each file: those that had appeared stay.
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
  // Checks the destination, makes and locks the staging folder. What a dead process of this host
  // left there is cleared first, which notes() tells, unless it had a journal and had not begun to
  // publish. EXISTS: the destination is taken (require_destination), or another process works on
  // it; IO: no permission.
  explicit Staging(Destination destination);
  // Discards what was not committed.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // OUT as the user wrote it.
  const boost::filesystem::path& destination() const { return destination_.path; }

  // An interrupted run left folder() as it is, with a journal in partial().
  bool is_interrupted() const { return is_interrupted_; }
  // Clears that.
  void restart();

  // Exists, and is empty but for what an interrupted run left: the folder for OutputFiles.
  const boost::filesystem::path& folder() const { return output_; }
  const boost::filesystem::path& partial() const { return partial_; }
  // What the user should be told, one sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

  // Brings `files`, which lie in folder(), to the disk (without sync, only a power cut can still
  // lose them), and then to the destination. If it throws,
  // the destination is as it was; only if the disk fails after the last rename, it is the new one.
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
