#include "core/compare/unequal_replicas.h"

#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/compare_values.h"
#include "core/compare/value_statistics.h"
#include "core/plugin_host/compute_plugin.h"
#include "core/text/quantities.h"

namespace ckptbridge {
namespace {

using Differences = std::vector<Difference>;

// Words for differences of one run.
class Words {
 public:
  Words(const Conversion& run, bool any) : run_(run) {
    if (!any || !run.settings.explain) return;
    try {
      compute_.emplace(run.registry, run.host.table());
    } catch (const Error& error) {
      no_statistics_ = error.what();
    }
  }

  const Expectation& expectation(const Difference& difference) const {
    return run_.arena.expectations[difference.expectation];
  }

  // "norm.weight: rank 1, 12 of 4,096 elements, first [17]: 1.25 against 1.2539"
  std::string line(const Difference& difference) const {
    const Nodes& nodes = run_.arena.nodes;
    const ckb_node kept = expectation(difference).kept;
    return fmt::format("{}, {} of {} elements, first {}: {}", expectation(difference).what,
                       count_text(difference.count), count_text(nodes.count(kept)),
                       index_text(difference.first, nodes.shape(kept)), difference.values);
  }

  // The line and, where asked for, statistics below it.
  std::string explained(const Difference& difference) const {
    if (!compute_) return line(difference);
    const auto& cancelled = run_.settings.feedback.cancelled;
    if (cancelled && cancelled()) throw Error(CKB_CANCELLED, "stopped as asked");
    const auto& [kept, other, what, warn_only, plugin] = expectation(difference);
    try {
      const Statistics statistics = statistics_of(run_.arena, kept, other, *compute_, run_.tasks);
      return line(difference) + statistics_text(statistics, run_.arena.nodes.shape(kept));
    } catch (const Error& error) {
      if (error.code() != CKB_UNSUPPORTED) throw;
      return fmt::format("{}\n    no statistics: {}", line(difference), error.what());
    }
  }

  // "5 replicated tensors differ" and which: the first, or all.
  std::string summary(const Differences& differences) const {
    std::set<ckb_node> kept;
    for (const Difference& difference : differences) kept.insert(expectation(difference).kept);
    std::string text = fmt::format("{} replicated {}", count_text(kept.size()),
                                   kept.size() == 1 ? "tensor differs" : "tensors differ");
    if (run_.settings.explain) {
      for (const Difference& difference : differences) text += "\n  " + explained(difference);
      return text + "\n";
    }
    text += " (" + line(differences.front());
    if (differences.size() > 1) {
      text += fmt::format("; {} more with --verbose", count_text(differences.size() - 1));
    }
    return text + ")";
  }

  // Why there are no statistics although they were asked for; "" if there are.
  const std::string& no_statistics() const { return no_statistics_; }

 private:
  const Conversion& run_;
  std::optional<Compute> compute_;
  std::string no_statistics_;
};

// What fails the run, by the plugin that expected it.
std::string failure_text(const Conversion& run, const Words& words,
                         const std::map<std::string, Differences>& failed) {
  std::string text;
  for (const auto& [plugin, differences] : failed) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}: {}", plugin, words.summary(differences));
    const std::string& advice = run.registry.require(plugin).on_difference;
    if (!advice.empty()) text += (text.ends_with('\n') ? "" : "; ") + advice;
  }
  if (!words.no_statistics().empty()) {
    text += fmt::format("\nno statistics: {}", words.no_statistics());
  }
  return text;
}

}  // namespace

std::vector<std::string> require_equal(const Conversion& run, const Differences& differences) {
  const Words words(run, !differences.empty());
  // A value that the output does not hold cannot make it wrong.
  std::set<ckb_node> left_out;
  for (const Drop& drop : run.arena.drops) left_out.insert(drop.value);

  std::map<std::string, Differences> failed;
  Differences harmless;
  std::vector<std::string> warnings;
  for (const Difference& difference : differences) {
    const Expectation& expectation = words.expectation(difference);
    if (left_out.contains(expectation.kept)) {
      harmless.push_back(difference);
    } else if (expectation.warn_only) {
      warnings.push_back("differs: " + words.explained(difference));
    } else {
      failed[expectation.plugin].push_back(difference);
    }
  }
  if (!failed.empty()) throw Error(CKB_CORRUPT, failure_text(run, words, failed));
  if (!harmless.empty()) warnings.push_back("left out of the output, " + words.summary(harmless));
  if (!words.no_statistics().empty()) {
    warnings.push_back("no statistics: " + words.no_statistics());
  }
  return warnings;
}

}  // namespace ckptbridge
