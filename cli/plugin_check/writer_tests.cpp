// A writer, and the graph that a chain makes of the sample: as `convert SAMPLE OUT --to FORMAT`
// would.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/plugin_check/description.h"
#include "cli/plugin_check/scratch_folder.h"
#include "cli/plugin_check/tests.h"
#include "core/execute/value_reader.h"
#include "core/pipeline.h"
#include "core/text/name_patterns.h"

namespace ckptbridge::plugin_check {
namespace {

void fills_each_file(const Subject& subject) {
  const Conversion run = planned(subject, require_sample(subject));
  if (run.layout.files().empty()) throw Failed("laid out no file");
}

void gives_the_same_layout(const Subject& subject) {
  const Conversion first = planned(subject, require_sample(subject));
  const Conversion second = planned(subject, subject.sample);
  require_same(describe(first.layout, *first.source.arena),
               describe(second.layout, *second.source.arena), "the same sample gave two layouts");
}

void owns_what_it_writes(const Subject& subject) {
  require_sample(subject);
  if (subject.manifest.owns.empty()) {
    throw Skipped("the manifest has no \"owns\": --overwrite is not offered");
  }
  const Conversion run = planned(subject, subject.sample);
  for (const OutputFile& file : run.layout.files()) {
    const bool fits =
        std::any_of(subject.manifest.owns.begin(), subject.manifest.owns.end(),
                    [&](const std::string& pattern) { return glob_matches(pattern, file.path); });
    if (!fits) throw Failed(fmt::format("no pattern in \"owns\" fits {}", file.path));
  }
}

// Name, dtype, shape and bytes of each tensor; the order is the writer's business.
std::set<std::string> contents(const Graph& graph) {
  const Nodes& nodes = graph.arena().nodes;
  ValueReader reader(graph.arena(), 1 << 20);
  std::set<std::string> lines;
  for (const Tensor& tensor : graph.tensors()) {
    if (nodes.size(tensor.value) > 64 << 20) throw Skipped("a tensor is larger than 64 MiB");
    std::string bytes(nodes.size(tensor.value), '\0');
    reader.read(tensor.value, 0, nodes.count(tensor.value),
                std::as_writable_bytes(std::span(bytes)));
    lines.insert(fmt::format("{}, rank {}: {} of {}, {:016x}", tensor.name, tensor.mp_rank,
                             shape_text(tensor.shape), dtype_name(nodes.dtype(tensor.value)),
                             std::hash<std::string>()(bytes)));
  }
  return lines;
}

void is_read_back(const Subject& subject) {
  require_sample(subject);
  const Manifest* reader = nullptr;
  for (const Manifest* candidate : subject.registry.with_role(Role::kReader)) {
    if (candidate->format == subject.manifest.format) reader = candidate;
  }
  if (reader == nullptr) {
    throw Skipped(fmt::format("no plugin reads {}", subject.manifest.format));
  }
  const ScratchFolder folder;
  Request request = request_for(subject, subject.sample);
  request.output = folder.path() / "out";
  Settings settings;
  settings.sync = false;
  Conversion run = prepare(subject.registry, request, settings);
  convert(run, settings);
  const Checkpoint back = open_checkpoint(
      subject.registry, {request.output, request.folder, "", reader->format, {}}, settings.reading);
  const auto written = contents(run.target);
  const auto found = contents(back.graph);
  std::vector<std::string> lost;
  std::set_difference(written.begin(), written.end(), found.begin(), found.end(),
                      std::back_inserter(lost));
  if (!lost.empty()) {
    throw Failed(fmt::format("{} of {} tensors did not come back as they were, first {}",
                             lost.size(), written.size(), lost.front()));
  }
}

}  // namespace

std::vector<TestCase> writer_tests() {
  const std::vector<std::string> after{kIsTheManifests, kReadsTheSample, kAccountsForAll};
  const std::vector<std::string> after_layout{kIsTheManifests, kReadsTheSample, kAccountsForAll,
                                              kFillsEachFile};
  return {
      {kFillsEachFile, Role::kWriter, fills_each_file, after},
      {"writer/gives_the_same_layout_twice", Role::kWriter, gives_the_same_layout, after_layout},
      {"writer/owns_what_it_writes", Role::kWriter, owns_what_it_writes, after_layout},
      {"writer/is_read_back_with_the_same_tensors", Role::kWriter, is_read_back, after_layout}};
}

}  // namespace ckptbridge::plugin_check
