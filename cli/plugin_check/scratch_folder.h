// A folder for one test, gone afterwards.
#pragma once

#include <boost/filesystem/operations.hpp>
#include <boost/filesystem/path.hpp>

namespace ckptbridge::plugin_check {

class ScratchFolder {
 public:
  ScratchFolder()
      : path_(boost::filesystem::temp_directory_path() /
              boost::filesystem::unique_path("ckptbridge-check-%%%%-%%%%-%%%%")) {
    boost::filesystem::create_directory(path_);
  }
  ~ScratchFolder() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const boost::filesystem::path& path() const { return path_; }

 private:
  boost::filesystem::path path_;
};

}  // namespace ckptbridge::plugin_check
