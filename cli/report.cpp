#include "cli/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/comparison.h"
#include "core/words.h"

namespace ckptbridge::cli {
namespace {

std::string counted(std::uint64_t count, const char* one) {
  return fmt::format("{} {}{}", count_text(count), one, count == 1 ? "" : "s");
}

// "a, b, c and 14 more"
std::string some_of(const std::vector<std::string>& names, bool all) {
  constexpr std::size_t kFew = 4;
  if (all || names.size() <= kFew) return list_text(names);
  return fmt::format("{} and {} more",
                     list_text({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(kFew)}),
                     count_text(names.size() - kFew));
}

std::string input_text(const Coverage& coverage, std::uint32_t files) {
  std::string text = fmt::format("reads   {}: {} of tensors, {} of it used", counted(files, "file"),
                                 size_text(coverage.declared), size_text(coverage.used));
  if (coverage.checked > 0) text += fmt::format(", {} compared", size_text(coverage.checked));
  return text + "\n";
}

// One line for each reason: an object's own tensors are left out with it, for the same reason.
std::string dropped_text(const Ledger& ledger, bool all) {
  std::vector<std::pair<std::string, std::string>> lines;  // reason, what
  lines.reserve(ledger.dropped.size() + ledger.dropped_objects.size());
  for (const auto& [reason, values, bytes] : ledger.dropped) {
    lines.emplace_back(reason, fmt::format("{} in {}", size_text(bytes), counted(values, "value")));
  }
  for (const auto& [reason, names] : ledger.dropped_objects) {
    const auto what = fmt::format("{} ({})", counted(names.size(), "object"), some_of(names, all));
    const auto line = std::find_if(lines.begin(), lines.end(),
                                   [&reason = reason](const auto& l) { return l.first == reason; });
    if (line == lines.end()) {
      lines.emplace_back(reason, what);
    } else {
      line->second += " and " + what;
    }
  }
  std::string text;
  for (const auto& [reason, what] : lines) text += fmt::format("left out: {}: {}\n", reason, what);
  return text;
}

std::string ledger_text(const Ledger& ledger, bool all) {
  std::string text;
  for (const auto& [from, to, tensors] : ledger.roundings) {
    text += fmt::format("rounded: {} from {} to {}\n", counted(tensors, "tensor"), dtype_name(from),
                        dtype_name(to));
  }
  text += dropped_text(ledger, all);
  if (!ledger.unread.empty()) {
    text += fmt::format("not read: {}: {}\n", counted(ledger.unread.size(), "file"),
                        some_of(ledger.unread, all));
  }
  return text;
}

std::string files_text(const std::vector<OutputFile>& files) {
  std::string text;
  for (const auto& file : files) {
    text += fmt::format("        {:>10}  {}\n", size_text(file.size), file.path);
  }
  return text;
}

}  // namespace

std::vector<std::string> foreign_plugins(const Conversion& conversion) {
  std::vector<std::string> result;
  for (const auto& step : conversion.chain.steps) {
    for (const auto& entry : conversion.registry.entries()) {
      if (entry.id != step.plugin || !entry.problem.empty() || !entry.shadowed_by.empty() ||
          entry.origin == Origin::kInstalled) {
        continue;
      }
      result.push_back(fmt::format("{} ({})", entry.id, entry.path.string()));
    }
  }
  return result;
}

std::string report_text(const Report& report) {
  const Conversion& run = report.conversion;
  const auto& files = run.layout.files();
  std::string text;
  for (const auto& note : run.arena.notes) text += note + "\n";
  const auto output =
      fmt::format("{}, {}", counted(files.size(), "file"), size_text(run.layout.total_size()));
  if (run.is_complete) {
    text += fmt::format("{} is complete already: {}; nothing was done\n",
                        run.request.output.string(), output);
  } else if (report.done) {
    text += fmt::format("wrote {}: {}, in {:.1f} s\n", run.request.output.string(), output,
                        report.seconds);
  } else {
    text += fmt::format("chain   {}\n", run_line(run.chain));
    text += input_text(run.coverage, run.arena.sources.count());
    if (!run.arena.expectations.empty()) {
      text += fmt::format("checks  {}\n", counted(run.arena.expectations.size(), "pair") +
                                              " of values that must be equal");
    }
    text +=
        fmt::format("writes  {}: {}\n{}", run.request.output.string(), output, files_text(files));
  }
  text += ledger_text(report.ledger, report.whole_lists);
  for (const auto& plugin : foreign_plugins(run)) {
    text += fmt::format("plugin from elsewhere: {}\n", plugin);
  }
  if (report.verified) text += comparison_text(*report.verified, report.whole_lists);
  for (const auto& warning : run.warnings) text += fmt::format("warning: {}\n", warning);
  return text;
}

}  // namespace ckptbridge::cli
