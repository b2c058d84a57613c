// ckptbridge plan …: takes what convert, run or a preset takes, and stops before the first byte.
#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/dispatch.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// A word that is no file, but nearly a verb: else IN is said to be missing, or OUT to be too much.
void require_no_misspelt_verb(const std::string& word) {
  std::vector<std::string> names;
  for (const auto* table : {&verbs(), &presets()}) {
    for (const Verb& verb : *table) {
      if (verb.convert != nullptr) names.emplace_back(verb.name);
    }
  }
  const std::string near = suggestion(word, names);
  if (near.empty() || boost::filesystem::exists(word)) return;
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("unknown verb \"{}\"", word), {.hint = near});
}

}  // namespace

int plan(const Arguments& arguments) {
  if (!arguments.empty()) {
    const Verb* verb = find_verb(arguments.front());
    if (verb != nullptr && verb->convert != nullptr) {
      return verb->convert({arguments.begin() + 1, arguments.end()}, true);
    }
    require_no_misspelt_verb(arguments.front());
  }
  const bool is_chain = std::any_of(arguments.begin(), arguments.end(), [](const auto& word) {
    return word == "!" || word.find(" ! ") != std::string::npos;
  });
  return is_chain ? run(arguments, true) : convert(arguments, true);
}

}  // namespace ckptbridge::cli
