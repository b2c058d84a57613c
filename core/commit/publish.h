// The ways in which a finished output appears at its destination; commit.h says which is taken
// when.
//
// `partial` is the staging folder, whose output/ holds what was made and is on the disk; `out` is
// the destination. Each function throws Error, or an exception of Boost.Filesystem.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

// output/ becomes `out` in one step of the file system. A folder that is there is replaced; where
// the file system cannot exchange entries, it lies in partial/replaced for a moment.
void publish_as_one(const boost::filesystem::path& partial, const boost::filesystem::path& out);

// The entries of output/ become entries of `out`, which holds `partial` and nothing else. What was
// moved is taken back if that fails.
void publish_one_by_one(const boost::filesystem::path& partial, const boost::filesystem::path& out);

// Each of the files `paths` (relative to output/ and to `out`) appears in one step, and all that
// lies in `out` besides stays. With `overwrite`, a file that is there is replaced; else throws
// EXISTS. Files that had appeared before something failed stay: each is complete.
void publish_files(const boost::filesystem::path& partial, const boost::filesystem::path& out,
                   std::vector<std::string> paths, bool overwrite);

// Takes back what a process that was killed in publish_one_by_one() had moved into `out`.
void withdraw_published(const boost::filesystem::path& partial, const boost::filesystem::path& out);

// Puts back what a process that was killed in publish_as_one() had moved aside, which it tells.
// EXISTS if another output was made there meanwhile.
bool restore_replaced(const boost::filesystem::path& partial, const boost::filesystem::path& out);

}  // namespace ckptbridge
