// A folder of its own for each test, below the folder in which the test runs unless another is
// named.
#pragma once

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/filesystem.hpp>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {

class TempFolder {
 public:
  explicit TempFolder(const boost::filesystem::path& above = boost::filesystem::current_path())
      : path_(above / boost::filesystem::unique_path("core_test-%%%%%%%%")) {
    boost::filesystem::create_directories(path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }

  const boost::filesystem::path& path() const { return path_; }
  boost::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  // Makes the folders above it too.
  boost::filesystem::path write(const std::string& name, const std::string& text) const {
    const boost::filesystem::path file = path_ / name;
    boost::filesystem::create_directories(file.parent_path());
    std::ofstream(file.string(), std::ios::binary) << text;
    return file;
  }

  // All entries at any depth, relative, folders with a slash at their end.
  std::set<std::string> tree() const { return tree_of(path_); }

  static std::set<std::string> tree_of(const boost::filesystem::path& folder) {
    std::set<std::string> found;
    for (const auto& entry : boost::filesystem::recursive_directory_iterator(folder)) {
      const bool is_folder = entry.symlink_status().type() == boost::filesystem::directory_file;
      found.insert(entry.path().lexically_relative(folder).string() + (is_folder ? "/" : ""));
    }
    return found;
  }

  static std::string text_of(const boost::filesystem::path& path) {
    std::ifstream file(path.string(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  boost::filesystem::path path_;
};

// The Error that `work` throws, as "CODE: MESSAGE"; "" if it throws none.
template <typename Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return std::to_string(error.code()) + ": " + error.what();
  }
  return "";
}

// The Error that `body` throws; the test fails if it throws none.
template <class Body>
Error thrown_by(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {CKB_OK, ""};
}

}  // namespace ckptbridge
