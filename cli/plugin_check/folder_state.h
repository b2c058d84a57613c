// Names, sizes and times of all that is below a folder (or of one file): did a plugin change it?
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>
#include <fmt/format.h>

namespace ckptbridge::plugin_check {

inline std::vector<std::string> state_of_folder(const boost::filesystem::path& folder) {
  namespace fs = std::filesystem;  // whose times are fine enough to see a file written again
  const fs::path path(folder.native());
  const auto line = [](const fs::path& file) {
    const bool is_file = fs::is_regular_file(file);
    return fmt::format("{} {} {}", file.string(), is_file ? fs::file_size(file) : 0,
                       fs::last_write_time(file).time_since_epoch().count());
  };
  std::vector<std::string> lines{line(path)};
  if (!fs::is_directory(path)) return lines;
  for (const auto& item : fs::recursive_directory_iterator(path))
    lines.push_back(line(item.path()));
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace ckptbridge::plugin_check
