// The conversion that the tests of this folder disturb: a small checkpoint becomes a NeMo2 one.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem.hpp>

#include "tests/faults/faulty_run.h"
#include "tests/paths.h"

namespace ckptbridge {

inline std::string golden(const std::string& name) {
  return std::string(paths::golden()) + "/" + name;
}

inline std::vector<std::string> to_nemo(const boost::filesystem::path& folder,
                                        const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"convert",
                                    (folder / "in/model.pt").string(),
                                    (folder / "out").string(),
                                    "--to=nemo2-torch_dist",
                                    "--profile=" + golden("nemo2/tiny_profile.json"),
                                    "--progress=none"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// A folder with the input, in which "out" is made.
class NemoRun : public testing::Test {
 protected:
  NemoRun() {
    boost::filesystem::create_directory(folder_ / "in");
    boost::filesystem::copy_file(golden("nemo2/input_tiny.pt"), folder_ / "in/model.pt");
  }

  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    return to_nemo(folder_.path(), more);
  }
  boost::filesystem::path out() const { return folder_ / "out"; }

  // What an undisturbed run makes; OUT is as before afterwards.
  Tree expected(const std::vector<std::string>& more = {}) const {
    const TempFolder elsewhere;
    boost::filesystem::create_directory(elsewhere / "in");
    boost::filesystem::copy_file(folder_ / "in/model.pt", elsewhere / "in/model.pt");
    EXPECT_EQ(run_.run(to_nemo(elsewhere.path(), more)).code, 0);
    return tree_of(elsewhere / "out");
  }

  // What is there besides input and output.
  std::set<std::string> left() const {
    std::set<std::string> names;
    for (const auto& entry : boost::filesystem::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    names.erase("in");
    names.erase("out");
    return names;
  }

  // Until the path is there, at most ten seconds.
  static void wait_until_there(const boost::filesystem::path& path) {
    for (int i = 0; i < 1000 && !boost::filesystem::exists(path); ++i) ::usleep(10'000);
    ASSERT_TRUE(boost::filesystem::exists(path));
  }

  TempFolder folder_;
  FaultyRun run_{folder_.path()};
};

}  // namespace ckptbridge
