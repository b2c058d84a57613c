// ckptbridge plan …: takes what convert, run or a preset takes, and stops before the first byte.
#include <algorithm>

#include "cli/verbs.h"

namespace ckptbridge::cli {

int plan(const Arguments& arguments) {
  if (!arguments.empty()) {
    const Verb* verb = find_verb(arguments.front());
    if (verb != nullptr && verb->convert != nullptr) {
      return verb->convert({arguments.begin() + 1, arguments.end()}, true);
    }
  }
  const bool is_chain = std::any_of(arguments.begin(), arguments.end(), [](const auto& word) {
    return word == "!" || word.find(" ! ") != std::string::npos;
  });
  return is_chain ? run(arguments, true) : convert(arguments, true);
}

}  // namespace ckptbridge::cli
