// ckptbridge diff A B: two checkpoints of any formats, tensor by tensor.
#include "core/diff.h"

#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/comparison.h"
#include "cli/conversion.h"
#include "cli/setup.h"
#include "cli/signals.h"
#include "cli/verbs.h"

namespace ckptbridge::cli {

int diff(const Arguments& arguments) {
  const Registry registry = open_registry(arguments);
  Request a;
  Request b;
  CommonOptions common;
  std::string input_a;
  std::string input_b;
  CommandLine line(
      "diff A B [options]",
      "Compares two checkpoints of any formats and numbers of ranks, tensor by tensor: "
      "missing and extra ones, shapes, types and bytes. Names are mapped where they "
      "differ. Exit code 4 if there are differences.");
  line.positional("A", input_a, "A checkpoint");
  line.positional("B", input_b, "Another");
  line.option("--from-a", "FORMAT", a.from, "Format of A, where it is not to be guessed");
  line.option("--from-b", "FORMAT", b.from, "Format of B, where it is not to be guessed");
  declare_reading_options(line, common);
  declare_plugin_options(line, registry, a.options);
  if (!line.parse(arguments)) return 0;
  a.input = input_a;
  b.input = input_b;
  a.folder = b.folder = boost::filesystem::current_path();
  b.options = a.options;
  Console console(parse_progress(common.progress, isatty(STDERR_FILENO) != 0), common.verbose);
  watch_signals();
  const Diff result = ckptbridge::diff(registry, a, b, settings_of(common, console));
  if (common.json) {
    auto json = comparison_json(result.comparison);
    json["notes"] = result.notes;
    fmt::print("{}\n", json.dump(2));
  } else {
    for (const std::string& note : result.notes) print_text(note + "\n");
    print_text(comparison_text(result.comparison, common.verbose));
  }
  return exit_code(result.comparison);
}

}  // namespace ckptbridge::cli
