// Facts that every file of a checkpoint must state alike.
#pragma once

#include <map>
#include <string>
#include <utility>

namespace ckptbridge::deepspeed {

class Agreement {
 public:
  // Throws CORRUPT, naming both files and both values, when another file said otherwise.
  void require(const std::string& fact, const std::string& value, const std::string& file);

 private:
  std::map<std::string, std::pair<std::string, std::string>> said_;  // value and file, by fact
};

}  // namespace ckptbridge::deepspeed
