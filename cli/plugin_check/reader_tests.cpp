// A reader and its sample: the same graph each time, all of it, and nothing of it changed.
#include <boost/filesystem/fstream.hpp>
#include <fmt/format.h>

#include "cli/plugin_check/coverage_proof.h"
#include "cli/plugin_check/description.h"
#include "cli/plugin_check/folder_state.h"
#include "cli/plugin_check/sample_copy.h"
#include "cli/plugin_check/scratch_folder.h"
#include "cli/plugin_check/tests.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge::plugin_check {
namespace {

namespace fs = boost::filesystem;

int probe(const Subject& subject, const fs::path& path) {
  const Host host({});
  return Plugin(subject.manifest, host.table()).probe(path.string());
}

void recognises_the_sample(const Subject& subject) {
  const int sure = probe(subject, require_sample(subject));
  if (sure <= 0 || sure > 100) throw Failed(fmt::format("probe gives {}, expected 1 to 100", sure));
  const auto candidates = subject.registry.candidates(subject.sample);
  for (const Manifest* manifest : candidates) {
    if (manifest == &subject.manifest) return;
  }
  throw Failed("no pattern in \"matches\" fits the sample");
}

void does_not_take_others(const Subject& subject) {
  const ScratchFolder folder;
  const auto refuse = [&](const fs::path& path, const char* what) {
    if (const int sure = probe(subject, path); sure != 0) {
      throw Failed(fmt::format("probe gives {} for {}, expected 0", sure, what));
    }
  };
  refuse(folder.path(), "an empty folder");
  fs::ofstream(folder.path() / "readme.txt") << "This folder holds no checkpoint.\n";
  refuse(folder.path() / "readme.txt", "a text");
  refuse(folder.path(), "a folder with a text");
  fs::ofstream(folder.path() / "model.gguf") << "GGUF\3";
  refuse(folder.path() / "model.gguf", "a GGUF file");
}

void reads_the_sample(const Subject& subject) {
  const Checkpoint sample = read_with(subject, require_sample(subject));
  if (sample.graph.tensors().empty()) throw Failed("read no tensor from the sample");
}

void gives_the_same_graph(const Subject& subject) {
  const Checkpoint first = read_with(subject, require_sample(subject));
  const Checkpoint second = read_with(subject, subject.sample);
  require_same(describe(first.graph), describe(second.graph), "the same sample gave two graphs");
}

void accounts_for_all_bytes(const Subject& subject) {
  const Checkpoint sample = read_with(subject, require_sample(subject));
  require_all_used(sample.graph, sample.graph);
}

void changes_nothing(const Subject& subject) {
  const ScratchFolder folder;
  const SampleCopy copy(subject, folder.path());
  const auto before = state_of_folder(folder.path());
  read_with(subject, copy.path);
  if (state_of_folder(folder.path()) != before) throw Failed("changed the sample");
}

}  // namespace

std::vector<TestCase> reader_tests() {
  const std::vector<std::string> after{kIsTheManifests};
  const std::vector<std::string> after_read{kIsTheManifests, kReadsTheSample};
  return {{"reader/recognises_the_sample", Role::kReader, recognises_the_sample, after},
          {"reader/does_not_take_other_formats", Role::kReader, does_not_take_others, after},
          {kReadsTheSample, Role::kReader, reads_the_sample, after},
          {"reader/gives_the_same_graph_twice", Role::kReader, gives_the_same_graph, after_read},
          {kAccountsForAll, Role::kReader, accounts_for_all_bytes, after_read},
          {"reader/changes_nothing_on_the_disk", Role::kReader, changes_nothing, after_read}};
}

}  // namespace ckptbridge::plugin_check
