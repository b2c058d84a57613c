// A file that the user wants beside the output: a list of digests, a report, a page.
#pragma once

#include <string>

#include <boost/filesystem/path.hpp>

#include "core/conversion.h"

namespace ckptbridge::cli {

class ResultFile {
 public:
  // option ("--report") stands in messages; an empty path: no such file is wanted. Before the work:
  // INVALID_ARGUMENT if the file would lie in the input or in the output, NOT_FOUND if its folder
  // is not there, EXISTS if it is there already, unless it is replaced and was written by this
  // program.
  ResultFile(const std::string& option, const std::string& path, const Request& request,
             bool overwrite);

  bool is_wanted() const { return !path_.empty(); }
  // The file appears whole or not at all.
  void write(const std::string& text) const;

 private:
  boost::filesystem::path path_;
};

// Returns the contents of such a file. Throws CORRUPT for a file that is too large to be one.
std::string read_result_file(const boost::filesystem::path& path);

}  // namespace ckptbridge::cli
