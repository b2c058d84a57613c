#include "cli/verbs/verb_table.h"

#include "core/text/spelling.h"

namespace ckptbridge::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = {
      {"convert", "convert a checkpoint; finds the plugins between IN and a format", nullptr,
       convert},
      {"run", "run a chain of plugins: reader path=IN ! transform ! writer path=OUT", nullptr, run},
      {"plan", "say what convert, run or a preset would do, and stop", plan, nullptr},
      {"verify", "read an output back and compare it with its source, or with digests", verify,
       nullptr},
      {"diff", "compare two checkpoints of any formats, tensor by tensor", diff, nullptr},
      {"inspect", "say what a checkpoint is and what can be done with it", inspect, nullptr},
      {"plugins", "list the plugins, and where they were looked for", plugins, nullptr},
      {"profiles", "list model profiles, show one, or check your own", profiles, nullptr},
  };
  return table;
}

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : verbs()) {
    if (hyphenated(verb.name) == hyphenated(name)) return &verb;
  }
  return nullptr;
}

}  // namespace ckptbridge::cli
