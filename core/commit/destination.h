// What must hold of the place where an output shall appear, before work begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

namespace ckptbridge {

// Where an output is made: beside OUT, or as an entry of OUT (commit.h says when). A job's has
// "-JOB" behind it.
constexpr const char* kPartialSuffix = ".ckptbridge-partial";
constexpr const char* kPartialInside = ".ckptbridge-partial";

// OUT, and what may be replaced there.
struct Destination {
  boost::filesystem::path path;  // as the user wrote it
  // Replace an earlier output, if all that lies in it is the same writer's: each file is in `paths`
  // or matches one of `own`.
  bool overwrite = false;
  std::vector<std::string> paths;  // what will be written, relative to OUT
  // Patterns as of a shell, relative to OUT; a "*" stays within one component.
  std::vector<std::string> own;
  // Not empty: one of several jobs that fill OUT together, at any times. Its files appear one by
  // one, overwrite means these files only, and all else in OUT is nothing to it. Jobs of one OUT
  // differ in their names (letters, digits, "-" and "."), and write different files.
  std::string job = {};
};

// Staging folders beside and inside of OUT, which is resolved; job: Destination::job.
boost::filesystem::path partial_beside(const boost::filesystem::path& out);
boost::filesystem::path partial_inside(const boost::filesystem::path& out,
                                       const std::string& job = "");

// OUT without links, "." and "..", whether it exists or not. An empty path, the root and a link to
// nothing are refused.
boost::filesystem::path resolved(const boost::filesystem::path& out);

// OUT is absent, or an empty folder, or may be replaced (of a job: each of its files is absent, or
// may be replaced); else EXISTS, which names the first entry in the way. Changes nothing. What a
// killed run left inside OUT for its staging is not in the way.
void require_destination(const Destination& destination);

// IN and OUT (with its staging folder) are not the same and do not contain each other, links
// followed; else INVALID_ARGUMENT. OUT need not exist.
void require_separate(const boost::filesystem::path& in, const boost::filesystem::path& out);

// The file system of `path` (which need not exist) has room for this; else IO, with the numbers.
// Where the file system does not say, it has.
void require_space(const boost::filesystem::path& path, uint64_t bytes, uint64_t files);

}  // namespace ckptbridge
