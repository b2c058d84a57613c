// Graphs at the edges of what there may be, and a user who has asked to stop. A plugin may refuse
// such a graph, as one that knows only its own model does, but with a status and a message.
#include <functional>

#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/plugin_check/coverage_proof.h"
#include "cli/plugin_check/scratch_folder.h"
#include "cli/plugin_check/tests.h"
#include "core/plugin_host/loaded_plugin.h"

namespace ckptbridge::plugin_check {
namespace {

// Runs body; an Error that a user could have caused, and that says something, is fine.
void allow_refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == CKB_INTERNAL) throw Failed(error.what());
    if (std::string(error.what()).empty()) throw Failed("gave a status without a message");
  }
}

// A graph of one tensor in a file of zeros, with these properties.
void run_on_graph_with(const Properties& wanted, const Subject& subject, const std::string& name,
                       const std::vector<std::int64_t>& shape) {
  const ScratchFolder folder;
  const std::uint64_t size = checked_count(shape, kUInt8, name);
  boost::filesystem::ofstream(folder.path() / "data").close();
  boost::filesystem::resize_file(folder.path() / "data", size);  // sparse: costs no disk

  const std::string options = own_options(subject);
  const Host host(services_of(subject.registry, {}));
  Arena arena(InputFiles(folder.path()));
  Graph graph(arena);
  const std::vector<std::string> pieces{"data"};
  const ckb_file file = arena.sources.open(pieces);
  graph.add_storage(file, 0, size);
  const ckb_node value = graph.add_extent(file, 0, kUInt8, shape, {});
  Tensor tensor;
  tensor.name = name;
  tensor.role = "param";
  tensor.value = value;
  tensor.partition_dim = CKB_REPLICATED;
  graph.add_tensor(std::move(tensor));
  for (const auto& [key, said] : wanted) {
    if (!referenced_option(said)) graph.set_property(key, said);
  }

  const Plugin plugin(subject.manifest, host.table());
  allow_refusal([&] {
    if (subject.manifest.has(Role::kTransform)) {
      require_all_used(graph, plugin.rewrite(graph, options));
    }
    if (subject.manifest.has(Role::kWriter)) plugin.lay_out(graph, options);
  });
}

// With the properties that the plugin asks for; of a transform, with those of each thing it can do.
void run_on_made_graph(const Subject& subject, const std::string& name,
                       const std::vector<std::int64_t>& shape) {
  if (subject.manifest.has(Role::kWriter)) {
    run_on_graph_with(subject.manifest.needs, subject, name, shape);
  }
  for (const Rewrite& rewrite : subject.manifest.rewrites) {
    run_on_graph_with(rewrite.accepts, subject, name, shape);
  }
}

void empty_tensor(const Subject& subject) { run_on_made_graph(subject, "w", {0, 3}); }
void scalar(const Subject& subject) { run_on_made_graph(subject, "w", {}); }
void large_tensor(const Subject& subject) {
  run_on_made_graph(subject, "w", {(std::int64_t{1} << 31) + 1});
}
void long_name(const Subject& subject) {
  std::string name = "layer.";
  while (name.size() < 4096) name += "\xc3\xa4";  // ä
  run_on_made_graph(subject, name, {2});
}

void cancelled_reader(const Subject& subject) {
  require_sample(subject);
  try {
    read_with(subject, subject.sample, true);
  } catch (const Error& error) {
    if (error.code() != CKB_CANCELLED) throw;
  }
}

void cancelled_writer(const Subject& subject) {
  require_sample(subject);
  try {
    planned(subject, subject.sample, true);
  } catch (const Error& error) {
    if (error.code() != CKB_CANCELLED) throw;
  }
}

}  // namespace

std::vector<TestCase> limit_tests() {
  std::vector<TestCase> tests;
  for (const Role role : {Role::kTransform, Role::kWriter}) {
    const std::string as = fmt::format("limits/as_a_{}_takes_or_refuses_", role_name(role));
    const std::vector<std::string> after{kIsTheManifests};
    tests.push_back({as + "a_tensor_without_elements", role, empty_tensor, after});
    tests.push_back({as + "a_tensor_without_dimensions", role, scalar, after});
    tests.push_back({as + "more_than_2^31_elements", role, large_tensor, after});
    tests.push_back({as + "a_name_of_4_KiB_in_UTF-8", role, long_name, after});
  }
  tests.push_back({"limits/a_cancelled_reader_stops_or_ends",
                   Role::kReader,
                   cancelled_reader,
                   {kIsTheManifests, kReadsTheSample}});
  tests.push_back({"limits/a_cancelled_writer_stops_or_ends",
                   Role::kWriter,
                   cancelled_writer,
                   {kIsTheManifests, kReadsTheSample, kAccountsForAll, kFillsEachFile}});
  return tests;
}

}  // namespace ckptbridge::plugin_check
