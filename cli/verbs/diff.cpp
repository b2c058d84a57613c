// ckptbridge diff A B: two checkpoints of any formats, tensor by tensor.
#include "core/diff.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/report/comparison.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/signals.h"
#include "cli/verbs/converting.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"

namespace ckptbridge::cli {

namespace {

// "1e-3", or "1e-3,1e-5": the relative and the absolute part. Nothing for "".
std::optional<Tolerance> parse_tolerance(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t comma = std::min(text.find(','), text.size());
  const auto number = [&](std::string_view part) {
    double value = 0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), value);
    if (result.ec != std::errc() || result.ptr != part.data() + part.size() || !(value >= 0) ||
        !std::isfinite(value)) {
      throw Error(
          CKB_INVALID_ARGUMENT,
          fmt::format("--tolerance: \"{}\" is not a number of 0 or more, or two of them such "
                      "as 1e-3,1e-6",
                      text));
    }
    return value;
  };
  const std::string_view all(text);
  const double relative = number(all.substr(0, comma));
  const double absolute = comma == text.size() ? relative : number(all.substr(comma + 1));
  return Tolerance{relative, absolute};
}

}  // namespace

int diff(const Arguments& arguments) {
  const Registry registry = open_registry(arguments);
  Input a;
  Input b;
  CommonOptions common;
  std::string input_a;
  std::string input_b;
  std::string tolerance;
  CommandLine line(
      "diff A B [options]",
      fmt::format("Compares two checkpoints of any formats and numbers of ranks, tensor by tensor: "
                  "missing and extra ones, shapes, types and bytes. Names are mapped where they "
                  "differ. Exit code {} if there are differences.",
                  kDifferencesFound));
  line.positional("A", input_a, "A checkpoint");
  line.positional("B", input_b, "Another");
  line.option("--from-a", "FORMAT", a.from, "Format of A, where it is not to be guessed");
  line.option("--from-b", "FORMAT", b.from, "Format of B, where it is not to be guessed");
  line.option("--tolerance", "R[,A]", tolerance,
              "Count values as equal that differ from those of A by R times them plus A at most "
              "[A is R]; types may differ; needs the plugin torch-compute");
  declare_reading_options(line, common);
  declare_plugin_options(line, registry, a.options);
  if (!line.parse(arguments)) return 0;
  a.path = input_a;
  b.path = input_b;
  a.folder = b.folder = boost::filesystem::current_path();
  b.options = a.options;
  Console console(parse_progress(common.progress, has_terminal()), common.verbose);
  watch_signals();
  const Diff result = ckptbridge::diff(registry, a, b, settings_of(common, console).reading,
                                       parse_tolerance(tolerance));
  console.clear();
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
