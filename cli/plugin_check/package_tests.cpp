// What was installed: manifest, library, and what the library needs and shows.
#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "cli/plugin_check/library_file.h"
#include "cli/plugin_check/loaded.h"
#include "cli/plugin_check/scratch_folder.h"
#include "cli/plugin_check/tests.h"
#include "core/text/printable.h"

namespace ckptbridge::plugin_check {
namespace {

// Libraries of which a process can hold one copy.
constexpr const char* kSingle[] = {"libtorch", "libpython"};

void has_a_valid_manifest(const Subject& subject) {
  if (!subject.manifest.notes.empty()) throw Failed(subject.manifest.notes.front());
}

void exports_one_symbol(const Subject& subject) {
  const auto exported = read_library(subject.manifest.library_path()).exported;
  if (exported == std::vector<std::string>{"ckptbridge_plugin_v1"}) return;
  throw Failed(
      fmt::format("exports {} symbols ({}…), expected ckptbridge_plugin_v1 alone; a "
                  "version script hides the others",
                  exported.size(), exported.empty() ? "none" : exported.front()));
}

void loads_alone(const Subject& subject) { load_entry(subject.manifest.library_path()); }

void names_its_runtimes(const Subject& subject) {
  const auto needed = read_library(subject.manifest.library_path()).needed;
  const auto needs = [&](const std::string& stem) {
    return std::any_of(needed.begin(), needed.end(),
                       [&](const std::string& name) { return name.starts_with(stem); });
  };
  const auto& named = subject.manifest.runtime;
  for (const auto& stem : named) {
    if (!needs(stem)) throw Failed(fmt::format("runtime names {}, which it does not link", stem));
  }
  for (const std::string stem : kSingle) {
    if (needs(stem) && std::find(named.begin(), named.end(), stem) == named.end()) {
      throw Failed(fmt::format("links {}, which runtime does not name", stem));
    }
  }
}

void survives_strip(const Subject& subject) {
  const ScratchFolder folder;
  const auto copy = folder.path() / subject.manifest.library_path().filename();
  boost::filesystem::copy_file(subject.manifest.library_path(), copy);
  const std::string line = "strip --strip-unneeded " + shell_quoted(copy.string()) + " 2>/dev/null";
  if (std::system(line.c_str()) != 0) throw Skipped("there is no program strip");  // NOLINT
  load_entry(copy);
}

}  // namespace

std::vector<TestCase> package_tests() {
  return {{"package/manifest_is_valid_and_has_no_unknown_member", {}, has_a_valid_manifest},
          {"package/library_exports_its_entry_point_alone", {}, exports_one_symbol},
          {"package/library_loads_without_the_symbols_of_others", {}, loads_alone},
          {"package/runtime_names_the_single_libraries_that_it_links", {}, names_its_runtimes},
          {"package/library_survives_strip", {}, survives_strip}};
}

}  // namespace ckptbridge::plugin_check
