// A transform, and the graph that a reader makes of the sample.
#include <algorithm>

#include <fmt/format.h>

#include "cli/plugin_check/coverage_proof.h"
#include "cli/plugin_check/description.h"
#include "cli/plugin_check/tests.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge::plugin_check {
namespace {

Graph rewritten(const Subject& subject, const Checkpoint& sample) {
  const Plugin plugin(subject.manifest, sample.host->table());
  return plugin.rewrite(sample.graph, own_options(subject));
}

void accounts_for_all_bytes(const Subject& subject) {
  const Checkpoint sample = read_by_any(subject, require_sample(subject));
  require_all_used(sample.graph, rewritten(subject, sample));
}

// What the plugin promises of this graph: of the first thing that it can do with its properties.
const Properties& promised_of(const Subject& subject, const Properties& input) {
  for (const Rewrite& rewrite : subject.manifest.rewrites) {
    if (std::all_of(rewrite.accepts.begin(), rewrite.accepts.end(), [&](const auto& fact) {
          const auto found = input.find(fact.first);
          return found != input.end() && found->second == fact.second;
        })) {
      return rewrite.gives;
    }
  }
  throw Failed("the manifest accepts no graph like the sample's");
}

void keeps_its_promises(const Subject& subject) {
  const Checkpoint sample = read_by_any(subject, require_sample(subject));
  const Graph result = rewritten(subject, sample);
  const auto given = options_for(subject.manifest, subject.options);
  for (const auto& [key, promised] : promised_of(subject, sample.graph.properties())) {
    std::string expected = promised;
    if (const auto option = referenced_option(promised)) {
      expected = option_value(subject.manifest, *option, given).value_or("");
    }
    const auto found = result.properties().find(key);
    if (found == result.properties().end() || found->second != expected) {
      throw Failed(fmt::format("the manifest promises {} = {}, the graph has {}", key, expected,
                               found == result.properties().end() ? "none" : found->second));
    }
  }
}

void gives_the_same_graph(const Subject& subject) {
  const Checkpoint first = read_by_any(subject, require_sample(subject));
  const Checkpoint second = read_by_any(subject, subject.sample);
  require_same(describe(rewritten(subject, first)), describe(rewritten(subject, second)),
               "the same sample gave two graphs");
}

}  // namespace

std::vector<TestCase> transform_tests() {
  const std::vector<std::string> after{kIsTheManifests, kReadsTheSample};
  return {
      {"transform/uses_checks_or_drops_each_byte", Role::kTransform, accounts_for_all_bytes, after},
      {"transform/sets_the_properties_that_it_promises", Role::kTransform, keeps_its_promises,
       after},
      {"transform/gives_the_same_graph_twice", Role::kTransform, gives_the_same_graph, after}};
}

}  // namespace ckptbridge::plugin_check
