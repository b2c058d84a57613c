// ckptbridge convert IN OUT --to FORMAT: the chain is found from the manifests.
#include <boost/filesystem/operations.hpp>

#include "cli/verbs/converting.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"

namespace ckptbridge::cli {

int convert(const Arguments& arguments, bool dry_run) {
  const Registry registry = open_registry(arguments);
  Request request;
  CommonOptions common;
  std::string input;
  std::string output;
  CommandLine line(
      "convert IN OUT --to FORMAT [--from FORMAT] [options]",
      "Converts a checkpoint. The reader is found by the files' names, and what stands "
      "between it and the writer by the manifests of the plugins.");
  line.positional("IN", input, "The checkpoint: a file or a folder");
  line.positional("OUT", output, "What is made; must not exist yet, or be empty");
  line.required_option("--to", "FORMAT", request.to, "Format of OUT; see `ckptbridge plugins`");
  line.option("--from", "FORMAT", request.from, "Format of IN, where it is not to be guessed");
  declare_common_options(line, common);
  declare_plugin_options(line, registry, request.options);
  if (!line.parse(arguments)) return 0;
  // Before a long read, and with what there is instead.
  registry.require(Role::kWriter, request.to);
  request.input = input;
  request.output = output;
  request.folder = boost::filesystem::current_path();
  common.dry_run = common.dry_run || dry_run;
  return perform(registry, request, common);
}

}  // namespace ckptbridge::cli
