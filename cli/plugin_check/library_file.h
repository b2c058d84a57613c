// What a shared library says of itself, read without loading it.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

namespace ckptbridge::plugin_check {

struct LibraryFile {
  std::vector<std::string> exported;  // names of defined dynamic symbols
  std::vector<std::string> needed;    // DT_NEEDED
};

// Throws CORRUPT, naming the file, for what is not a 64-bit ELF library.
LibraryFile read_library(const boost::filesystem::path& path);

}  // namespace ckptbridge::plugin_check
