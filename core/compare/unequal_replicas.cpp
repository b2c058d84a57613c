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

using Pairs = std::vector<UnequalPair>;

// How pairs of one checkpoint are told.
class PairTexts {
 public:
  PairTexts(const Checkpoint& source, const Buffers& buffers, const Feedback& feedback,
            bool explain)
      : source_(source), buffers_(buffers), feedback_(feedback), explain_(explain) {
    if (!explain) return;
    try {
      compute_.emplace(*source.registry, source.host->table());
    } catch (const Error& error) {
      no_statistics_ = error.what();
    }
  }

  const Expectation& expectation(const UnequalPair& pair) const {
    return source_.arena->expectations[pair.expectation];
  }

  // "norm.weight: rank 1, 12 of 4,096 elements, first [17]: 1.25 against 1.2539"
  std::string line(const UnequalPair& pair) const {
    const Nodes& nodes = source_.arena->nodes;
    const ckb_node kept = expectation(pair).kept;
    const ValueDifference& difference = pair.difference;
    return fmt::format("{}, {} of {} elements, first {}: {} against {}", expectation(pair).what,
                       count_text(difference.count), count_text(nodes.count(kept)),
                       index_text(difference.first, nodes.shape(kept)), difference.other,
                       difference.kept);
  }

  // The line and, where asked for, statistics below it.
  std::string explained(const UnequalPair& pair) const {
    if (!compute_) return line(pair);
    if (feedback_.cancelled && feedback_.cancelled())
      throw Error(CKB_CANCELLED, "stopped as asked");
    const auto& [kept, other, what, warn_only, plugin] = expectation(pair);
    try {
      const Statistics statistics = statistics_of(*source_.arena, kept, other, *compute_, buffers_);
      return line(pair) + statistics_text(statistics, source_.arena->nodes.shape(kept));
    } catch (const Error& error) {
      if (error.code() != CKB_UNSUPPORTED) throw;
      return fmt::format("{}\n    no statistics: {}", line(pair), error.what());
    }
  }

  // "5 replicated tensors differ" and which: the first, or all.
  std::string summary(const Pairs& pairs) const {
    std::set<ckb_node> kept;
    for (const UnequalPair& pair : pairs) kept.insert(expectation(pair).kept);
    std::string text = fmt::format("{} replicated {}", count_text(kept.size()),
                                   kept.size() == 1 ? "tensor differs" : "tensors differ");
    if (explain_) {
      for (const UnequalPair& pair : pairs) text += "\n  " + explained(pair);
      return text + "\n";
    }
    text += " (" + line(pairs.front());
    if (pairs.size() > 1) {
      text += fmt::format("; {} more with --verbose", count_text(pairs.size() - 1));
    }
    return text + ")";
  }

  // Why there are no statistics although they were asked for; "" if there are.
  const std::string& no_statistics() const { return no_statistics_; }

 private:
  const Checkpoint& source_;
  const Buffers& buffers_;
  const Feedback& feedback_;
  const bool explain_;
  std::optional<Compute> compute_;
  std::string no_statistics_;
};

// What fails the run, by the plugin that expected it.
std::string failure_text(const Registry& registry, const PairTexts& texts,
                         const std::map<std::string, Pairs>& failed) {
  std::string text;
  for (const auto& [plugin, pairs] : failed) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}: {}", plugin, texts.summary(pairs));
    const std::string& advice = registry.require(plugin).on_difference;
    if (!advice.empty()) text += (text.ends_with('\n') ? "" : "; ") + advice;
  }
  if (!texts.no_statistics().empty()) {
    text += fmt::format("\nno statistics: {}", texts.no_statistics());
  }
  return text;
}

}  // namespace

std::vector<std::string> require_equal(const Checkpoint& source, const Pairs& pairs,
                                       const Buffers& buffers, const Feedback& feedback,
                                       bool explain) {
  const PairTexts texts(source, buffers, feedback, explain && !pairs.empty());
  // A value that the output does not hold cannot make it wrong.
  std::set<ckb_node> left_out;
  for (const Drop& drop : source.arena->drops) left_out.insert(drop.value);

  std::map<std::string, Pairs> failed;
  Pairs harmless;
  std::vector<std::string> warnings;
  for (const UnequalPair& pair : pairs) {
    const Expectation& expectation = texts.expectation(pair);
    if (left_out.contains(expectation.kept)) {
      harmless.push_back(pair);
    } else if (expectation.warn_only) {
      warnings.push_back("differs: " + texts.explained(pair));
    } else {
      failed[expectation.plugin].push_back(pair);
    }
  }
  if (!failed.empty()) throw Error(CKB_CORRUPT, failure_text(*source.registry, texts, failed));
  if (!harmless.empty()) warnings.push_back("left out of the output, " + texts.summary(harmless));
  if (!texts.no_statistics().empty()) {
    warnings.push_back("no statistics: " + texts.no_statistics());
  }
  return warnings;
}

}  // namespace ckptbridge
