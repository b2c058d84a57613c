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
  // The name of one of several jobs that fill OUT together, at any times; "": there is one job. The
  // files of a named job appear one by one, overwrite means these files only, and the job leaves
  // all else in OUT alone. Jobs of one OUT differ in their names (letters, digits, "-" and "."),
  // and write different files.
  std::string job = {};
};

// Returns the staging folders beside and inside of OUT, which is resolved; job: Destination::job.
boost::filesystem::path partial_beside(const boost::filesystem::path& out);
boost::filesystem::path partial_inside(const boost::filesystem::path& out,
                                       const std::string& job = "");

// Returns OUT without links, "." and "..", whether OUT exists or not. Throws INVALID_ARGUMENT for
// an empty path, for the root and for a link to nothing.
boost::filesystem::path resolved(const boost::filesystem::path& out);

// Throws EXISTS, naming the first entry in the way, unless OUT is absent, an empty folder, or may
// be replaced (for a job: unless each of its files is absent or may be replaced). Changes nothing.
// What a killed run left inside OUT for its staging is not in the way.
void require_destination(const Destination& destination);

// Throws INVALID_ARGUMENT where IN and OUT (or its staging folder) are the same or one contains the
// other, links followed. OUT need not exist.
void require_separate(const boost::filesystem::path& in, const boost::filesystem::path& out);

// Throws IO, with the numbers, where the file system of `path` (which need not exist) has no room
// for this. A file system that does not say how much room there is counts as having room.
void require_space(const boost::filesystem::path& path, uint64_t bytes, uint64_t files);

}  // namespace ckptbridge
