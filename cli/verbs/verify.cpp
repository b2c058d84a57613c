// ckptbridge verify OUT --against IN, or --manifest FILE: is OUT what it should be?
#include "core/verify.h"

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/report/comparison.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/signals.h"
#include "cli/verbs/converting.h"
#include "cli/verbs/result_file.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"

namespace ckptbridge::cli {

int verify(const Arguments& arguments) {
  const Registry registry = open_registry(arguments);
  Request request;
  CommonOptions common;
  std::string output;
  std::string source;
  std::string manifest;
  CommandLine line(
      "verify OUT --against IN [options of the conversion]\n"
      "       ckptbridge verify OUT --manifest FILE",
      fmt::format("Reads OUT back and compares every tensor: with what IN becomes by the same "
                  "plugins and options, the writer left out; or with the digests that "
                  "`convert --manifest` wrote. All differences are listed; exit code {} if there "
                  "are any.",
                  kDifferencesFound));
  line.positional("OUT", output, "The checkpoint to verify");
  line.option("--against", "IN", source, "The checkpoint that it was made of");
  line.option("--manifest", "FILE", manifest, "A list of digests");
  line.option("--to", "FORMAT", request.to, "Format of OUT, where it is not to be guessed");
  line.option("--from", "FORMAT", request.from, "Format of IN, where it is not to be guessed");
  declare_reading_options(line, common);
  declare_plugin_options(line, registry, request.options);
  if (!line.parse(arguments)) return 0;
  if (source.empty() == manifest.empty()) {
    throw Error(CKB_INVALID_ARGUMENT, "give --against IN or --manifest FILE, one of them");
  }
  request.folder = boost::filesystem::current_path();
  Console console(parse_progress(common.progress, has_terminal()), common.verbose);
  watch_signals();
  const ReadSettings settings = settings_of(common, console).reading;
  Comparison result;
  if (manifest.empty()) {
    request.input = source;
    request.output = output;
    result = verify_against_source(registry, request, settings);
  } else {
    const DigestList expected = about({.file = manifest}, [&] {
      return parse_digest_list(read_result_file(manifest), manifest);
    });
    const Input input{output, request.folder, "", request.to, request.options};
    result = verify_against_digests(registry, input, settings, expected);
  }
  console.clear();
  if (common.json) {
    fmt::print("{}\n", comparison_json(result).dump(2));
  } else {
    print_text(comparison_text(result, common.verbose));
  }
  return exit_code(result);
}

}  // namespace ckptbridge::cli
