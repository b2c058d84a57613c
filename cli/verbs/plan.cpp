// ckptbridge plan …: takes what convert, run or a preset takes, and stops before the first byte.
#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/verbs/presets.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// A word that is no file, but nearly a verb: else IN is said to be missing, or OUT to be too much.
void require_no_misspelt_verb(const std::string& word, const Registry& registry) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (verb.convert != nullptr) names.emplace_back(verb.name);
  }
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    names.push_back(manifest->preset->verb);
  }
  const std::string near = suggestion(word, names);
  if (near.empty() || boost::filesystem::exists(word)) return;
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("unknown verb \"{}\"", word), {.hint = near});
}

}  // namespace

int plan(const Arguments& arguments) {
  if (!arguments.empty()) {
    const Arguments rest(arguments.begin() + 1, arguments.end());
    const Verb* verb = find_verb(arguments.front());
    if (verb != nullptr && verb->convert != nullptr) return verb->convert(rest, true);
    const Registry registry = open_registry(arguments);
    if (const Manifest* preset = find_preset(registry, arguments.front())) {
      return run_preset(registry, *preset, rest, true);
    }
    require_no_misspelt_verb(arguments.front(), registry);
  }
  const bool is_chain = std::any_of(arguments.begin(), arguments.end(), [](const auto& word) {
    return word == "!" || word.find(" ! ") != std::string::npos;
  });
  return is_chain ? run(arguments, true) : convert(arguments, true);
}

}  // namespace ckptbridge::cli
