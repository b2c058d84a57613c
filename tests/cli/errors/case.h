// The catalogue of errors: ways to be refused on the command line. errors.txt has what each says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/cli/command.h"

namespace ckptbridge::errors {

using Arguments = std::vector<std::string>;

// The folder of one case. What a case reads is made in it; it writes to out(), which must not be
// there afterwards, unless the case made it.
class Scratch {
 public:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string out() const { return path("out"); }
  const TempFolder& folder() const { return folder_; }

  std::string write(const std::string& name, const std::string& text) const {
    return folder_.write(name, text).string();
  }
  // A copy of a golden folder or file, as "in".
  std::string copy(const std::string& name, const std::string& to = "in") const;
  // The same, without what is named below it.
  std::string copy_without(const std::string& name, const std::string& left_out) const;
  // Changes what stands in a file; texts of equal size in a .pt.
  void replace(const std::string& name, const std::string& from, const std::string& to) const;
  void truncate(const std::string& name, std::uintmax_t size) const;
  void rename(const std::string& from, const std::string& to) const;

  Arguments convert(const std::string& input, const std::string& to,
                    const Arguments& more = {}) const;

 private:
  TempFolder folder_;
};

// make prepares the input and returns the arguments.
struct Case {
  std::string name;
  std::function<Arguments(const Scratch&)> make;
};

std::vector<Case> usage_cases();
std::vector<Case> chain_cases();
std::vector<Case> zero1_cases();
std::vector<Case> zero3_cases();
std::vector<Case> nemo2_cases();
std::vector<Case> safetensors_cases();
std::vector<Case> model_cases();
std::vector<Case> pickle_cases();
std::vector<Case> zip_cases();
std::vector<Case> legacy_cases();
std::vector<Case> output_cases();
std::vector<Case> verify_cases();

}  // namespace ckptbridge::errors
