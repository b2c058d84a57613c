// ckptbridge-plugin-check: does a plugin keep to the rules of plugin.h?
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <regex>
#include <set>

#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/plugin_check/runner.h"
#include "cli/terminal/command_line.h"
#include "cli/terminal/exit_code.h"
#include "core/text/json_file.h"
#include "core/text/json_object.h"

namespace ckptbridge::plugin_check {
namespace {

// All that apply to a plugin of these roles.
std::vector<TestCase> tests_for(const Manifest& manifest) {
  std::vector<TestCase> tests;
  for (const auto& group : {package_tests(), entry_tests(), error_tests(), reader_tests(),
                            transform_tests(), writer_tests(), limit_tests()}) {
    for (const TestCase& test : group) {
      if (!test.role || manifest.has(*test.role)) tests.push_back(test);
    }
  }
  return tests;
}

namespace fs = boost::filesystem;

constexpr std::chrono::seconds kDefaultLimit{60};

struct Arguments {
  std::string manifest;
  std::string sample;
  std::vector<std::string> options;
  std::string include = ".*";
  std::string time_limit;
  bool in_process = false;
  bool list = false;
};

bool parse(const std::vector<std::string>& words, Arguments& arguments) {
  cli::CommandLine line(
      "MANIFEST.json [--sample PATH] [options]",
      "Checks that a plugin keeps to the rules of plugin.h. Each test runs in a "
      "process of its own; one that has no input to work on is skipped. Exit codes: "
      "0 no test failed, 1 some did, 2 usage, 3 no valid manifest.",
      "ckptbridge-plugin-check");
  line.positional("MANIFEST.json", arguments.manifest, "The plugin's manifest, beside its library");
  line.option("--sample", "PATH", arguments.sample,
              "A checkpoint: that the reader reads, or from which a chain leads to the plugin");
  line.repeated_option("--option", "NAME=VALUE", arguments.options,
                       "An option of the plugin or of its chain, as on convert; may be repeated");
  line.option("--include", "REGEX", arguments.include, "Only tests whose names this finds");
  line.option("--time-limit", "SECONDS", arguments.time_limit, "For each test [60]");
  line.flag("--in-process", arguments.in_process, "Run the tests in this process, for a debugger");
  line.flag("--list", arguments.list, "Print the names of the tests, and stop");
  return line.parse(words);
}

std::chrono::milliseconds time_limit_of(const std::string& text) {
  if (text.empty()) return kDefaultLimit;
  unsigned seconds = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, seconds);
  if (result.ec != std::errc() || result.ptr != end || seconds == 0 || seconds > 86'400) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("--time-limit: \"{}\" is not a number from 1 to 86400", text));
  }
  return std::chrono::seconds(seconds);
}

// <id>.check.json: {"does_not_apply": {"writer/owns_what_it_writes": "the reason"}}.
std::map<std::string, std::string> read_quirks(const Manifest& manifest) {
  const fs::path path = manifest.path.parent_path() / (manifest.id + ".check.json");
  if (!fs::exists(path)) return {};
  const Json json = read_json(path.string());
  const auto quirks = JsonObject(json, path.string()).string_map("does_not_apply");
  const auto tests = tests_for(manifest);
  for (const auto& [test, reason] : quirks) {
    const bool known = std::any_of(tests.begin(), tests.end(), [&name = test](const TestCase& one) {
      return one.name == name;
    });
    if (known && !reason.empty()) continue;
    throw Error(CKB_CORRUPT, fmt::format("{}: \"{}\" is not a test of this plugin, or has no reason",
                                         path.string(), test));
  }
  return quirks;
}

void print(const TestCase& test, const Result& result) {
  const std::string_view outcome = result.outcome == Outcome::kPassed    ? "passed"
                                   : result.outcome == Outcome::kSkipped ? "skipped"
                                                                         : "failed";
  fmt::print("{:<8} {}{}{}\n", outcome, test.name, result.message.empty() ? "" : ": ",
             result.message);
  std::fflush(stdout);  // before the next child is made
}

int run(const std::vector<std::string>& words) {
  Arguments arguments;
  if (!parse(words, arguments)) return 0;
  boost::system::error_code problem;
  Subject subject(arguments.manifest, fs::read_symlink("/proc/self/exe", problem));
  if (subject.manifest.library.empty()) {
    throw Error(CKB_INVALID_ARGUMENT, subject.manifest.id + " has no library to check");
  }
  if (!arguments.sample.empty()) subject.sample = fs::absolute(arguments.sample);
  if (!subject.sample.empty() && !fs::exists(subject.sample)) {
    throw Error(CKB_NOT_FOUND, fmt::format("--sample {}: is not there", arguments.sample));
  }
  for (const auto& option : arguments.options) subject.options.push_back(split_option(option));
  subject.quirks = read_quirks(subject.manifest);
  const auto limit = time_limit_of(arguments.time_limit);
  const std::regex include(arguments.include);

  std::map<Outcome, int> counts;
  std::set<std::string> failed;
  for (const TestCase& test : tests_for(subject.manifest)) {
    if (!std::regex_search(test.name, include)) continue;
    if (arguments.list) {
      fmt::print("{}\n", test.name);
      continue;
    }
    const auto broken =
        std::find_if(test.after.begin(), test.after.end(),
                     [&](const std::string& name) { return failed.contains(name); });
    const auto quirk = subject.quirks.find(test.name);
    Result result;
    if (quirk != subject.quirks.end()) {
      result = {Outcome::kSkipped, "does not apply: " + quirk->second};
    } else if (broken != test.after.end()) {
      result = {Outcome::kSkipped, "because of " + *broken};
    } else {
      result = arguments.in_process ? run_here(test, subject) : run_apart(test, subject, limit);
    }
    ++counts[result.outcome];
    if (result.outcome == Outcome::kFailed) failed.insert(test.name);
    print(test, result);
  }
  if (!arguments.list) {
    fmt::print("{}: {} passed, {} failed, {} skipped\n", subject.manifest.id,
               counts[Outcome::kPassed], counts[Outcome::kFailed], counts[Outcome::kSkipped]);
  }
  return failed.empty() ? 0 : 1;
}

int report(ckb_status status, const char* message) {
  fmt::print(stderr, "ckptbridge-plugin-check: {}\n", message);
  return cli::exit_code(status);
}

}  // namespace
}  // namespace ckptbridge::plugin_check

int main(int argc, char** argv) {
  try {
    return ckptbridge::plugin_check::run({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const ckptbridge::Error& error) {
    return ckptbridge::plugin_check::report(error.code(), error.what());
  } catch (const std::regex_error& error) {
    return ckptbridge::plugin_check::report(CKB_INVALID_ARGUMENT, error.what());
  } catch (const std::exception& error) {
    return ckptbridge::plugin_check::report(CKB_INTERNAL, error.what());
  }
}
