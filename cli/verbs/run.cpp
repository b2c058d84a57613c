// ckptbridge run READER path=IN ! TRANSFORM ! WRITER path=OUT: the chain as typed.
#include <boost/filesystem/operations.hpp>

#include "ckptbridge/error.hpp"
#include "cli/verbs/converting.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/disk/file.h"

namespace ckptbridge::cli {

int run(const Arguments& arguments, bool dry_run) {
  const Registry registry = open_registry(arguments);
  CommonOptions common;
  std::vector<std::string> words;
  CommandLine line(
      "run READER path=IN [! TRANSFORM [name=value]...]... ! WRITER path=OUT\n"
      "       ckptbridge run CHAIN.json",
      "Runs a chain of plugins as it is typed.");
  line.positionals("CHAIN", words,
                   "Plugins with their options, with a ! between each two; or a JSON file: "
                   R"({"steps": [{"plugin": ID, "path": PATH, "options": {NAME: VALUE}}]})");
  declare_common_options(line, common);
  if (!line.parse(arguments)) return 0;
  const bool is_file = words.size() == 1 && words[0].ends_with(".json");
  if (is_file && !boost::filesystem::exists(words[0])) {
    throw Error(CKB_NOT_FOUND, words[0] + ": no such file", {.file = words[0]});
  }
  const ChainText chain =
      is_file ? about({.file = words[0]},
                      [&] { return parse_chain_json(read_small(words[0]), words[0]); })
              : parse_chain(words);
  Request request;
  request.input = chain.input;
  request.output = chain.output;
  request.steps = chain.steps;
  request.folder = boost::filesystem::current_path();
  require_steps(registry, request);
  common.dry_run = common.dry_run || dry_run;
  return perform(registry, request, common);
}

}  // namespace ckptbridge::cli
