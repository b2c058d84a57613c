#include "cli/report/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/report/comparison.h"
#include "cli/report/summary.h"
#include "cli/report/tensor_plan.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// "a, b, c and 14 more"
std::string some_of(const std::vector<std::string>& names, bool all) {
  constexpr std::size_t kFew = 4;
  if (all || names.size() <= kFew) return list_text(names);
  return fmt::format("{} and {} more",
                     list_text({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(kFew)}),
                     count_text(names.size() - kFew));
}

std::string plan_row(const char* name, const std::string& text) {
  return fmt::format("{:<8}{}\n", name, text);
}

std::string reads_text(const Coverage& coverage, std::uint32_t files) {
  std::string text =
      fmt::format("{}, which hold {} of tensors: {} to write", counted(files, "file"),
                  size_text(coverage.declared), size_text(coverage.used));
  if (coverage.checked > 0) text += fmt::format(", {} to compare", size_text(coverage.checked));
  const std::uint64_t rest = coverage.declared - coverage.used - coverage.checked;
  if (rest > 0) text += fmt::format(", {} to leave out", size_text(rest));
  return text;
}

std::string memory_text(const Plan& plan) {
  return fmt::format("{} of buffers at most ({}, {})", size_text(plan.buffers.total_size()),
                     counted(plan.buffers.threads, "thread"), counted(plan.task_count(), "task"));
}

std::string checks_text(std::size_t expectations) {
  const std::string accounted = "every byte of tensors is accounted for";
  if (expectations == 0) return accounted;
  return fmt::format("{}; {} must be equal, or nothing is written", accounted,
                     counted(expectations, "pair") + " of values");
}

// One line for each reason: an object's own tensors are left out with it, for the same reason.
std::string dropped_text(const Losses& losses, bool all) {
  std::vector<std::pair<std::string, std::string>> lines;  // reason, what
  lines.reserve(losses.dropped.size() + losses.dropped_objects.size());
  for (const DroppedBytes& dropped : losses.dropped) {
    lines.emplace_back(dropped.reason, left_out_text(dropped));
  }
  for (const auto& [reason, names] : losses.dropped_objects) {
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

std::string losses_text(const Losses& losses, bool all) {
  std::string text;
  for (const auto& [from, to, tensors] : losses.roundings) {
    text += fmt::format("rounded: {} from {} to {}, to the nearest value\n",
                        counted(tensors, "tensor"), dtype_name(from), dtype_name(to));
  }
  text += dropped_text(losses, all);
  if (!losses.unread.empty()) {
    text += fmt::format("not read: {}: {}\n", counted(losses.unread.size(), "file"),
                        some_of(losses.unread, all));
  }
  return text;
}

// The first and how many more, or all of them.
std::string files_text(const std::vector<OutputFile>& files, bool all) {
  constexpr std::size_t kMost = 20;
  const bool is_cut = !all && files.size() > kMost;
  std::string text;
  for (std::size_t i = 0; i < (is_cut ? kMost : files.size()); ++i) {
    text += fmt::format("        {:>10}  {}\n", size_text(files[i].size), files[i].path);
  }
  if (is_cut) {
    text += fmt::format("        and {} more, with --verbose\n", count_text(files.size() - kMost));
  }
  return text;
}

std::string plan_text(const Report& report) {
  const Conversion& run = report.conversion;
  std::string text = plan_row("chain", run_line(run.chain.text));
  for (const auto& [name, words] : plan_facts(run)) text += plan_row(name.c_str(), words);
  return text + files_text(run.layout.files(), report.verbose);
}

}  // namespace

std::string left_out_text(const DroppedBytes& dropped) {
  const std::string values = counted(dropped.values, "value");
  return dropped.bytes == 0 ? values : fmt::format("{} in {}", size_text(dropped.bytes), values);
}

std::vector<std::pair<std::string, std::string>> plan_facts(const Conversion& planned) {
  const auto& files = planned.layout.files();
  return {{"reads", reads_text(planned.coverage, planned.source.arena->sources.count())},
          {"checks", checks_text(planned.source.arena->expectations.size())},
          {"memory", memory_text(planned.plan)},
          {"writes",
           fmt::format("{}: {}, {}", planned.request.output.string(), counted(files.size(), "file"),
                       size_text(planned.layout.total_size()))}};
}

std::vector<std::string> foreign_plugins(const Conversion& conversion) {
  std::vector<std::string> result;
  for (const auto& step : conversion.chain.text.steps) {
    for (const auto& entry : conversion.source.registry->entries()) {
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
  for (const auto& note : run.source.arena->notes) text += note + "\n";
  const auto output =
      fmt::format("{}, {}", counted(files.size(), "file"), size_text(run.layout.total_size()));
  if (report.outcome.was_complete) {
    text += fmt::format("{} is complete already: {}; nothing was done\n",
                        run.request.output.string(), output);
  } else if (report.done) {
    text += summary_text(report);
  } else {
    text += plan_text(report);
  }
  const std::string losses = losses_text(report.losses, report.whole_lists);
  text += losses.empty() && !report.done ? plan_row("losses", "none") : losses;
  for (const auto& plugin : foreign_plugins(run)) {
    text += fmt::format("plugin from elsewhere: {}\n", plugin);
  }
  if (report.verified) text += comparison_text(*report.verified, report.whole_lists);
  if (report.trace) text += tensor_plan_text(run, *report.trace);
  for (const auto& warning : report.outcome.warnings) text += fmt::format("warning: {}\n", warning);
  if (report.done && !report.outcome.was_complete) text += next_text(report);
  return text;
}

}  // namespace ckptbridge::cli
