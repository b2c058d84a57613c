#include "cli/dispatch.h"

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/manual.h"
#include "cli/verbs/presets.h"
#include "cli/verbs/setup.h"
#include "cli/version.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {

namespace {

// What an empty command line prints.
std::string short_usage() {
  return "Usage: ckptbridge convert IN OUT --to FORMAT\n"
         "       ckptbridge VERB --help, ckptbridge --help\n";
}

constexpr const char* kLine = "  {:<18} {}\n";

// In lines of 100 characters at most.
std::string wrapped(const std::string& text) {
  constexpr std::size_t kWidth = 100;
  std::string result;
  std::size_t begin = 0;
  while (text.size() - begin > kWidth) {
    const auto blank = text.rfind(' ', begin + kWidth);
    result += text.substr(begin, blank - begin) + "\n";
    begin = blank + 1;
  }
  return result + text.substr(begin) + "\n";
}

// The presets that came with the program, or those that did not.
std::string preset_lines(const Registry& registry, bool ours) {
  std::string text;
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    if (is_ours(manifest->id) != ours) continue;
    text += fmt::format(kLine, manifest->preset->verb, manifest->summary);
  }
  return text;
}

}  // namespace

std::string overview(const Registry& registry) {
  std::string text =
      "ckptbridge moves model checkpoints from one format to another.\n\n" + short_usage();
  text += "\nVerbs:\n";
  for (const Verb& verb : verbs()) text += fmt::format(kLine, verb.name, verb.summary);
  const std::string ours = preset_lines(registry, true);
  if (!ours.empty()) {
    text += "\nPresets, with the flags of the Python scripts of these names:\n" + ours;
  }
  const std::string others = preset_lines(registry, false);
  if (!others.empty()) text += "\nPresets of others:\n" + others;
  text +=
      "\nOptions:\n"
      "  -h, --help         print this; behind a verb, what the verb takes\n"
      "  --version          print the version\n"
      "\n" +
      wrapped(fmt::format("Exit codes: {}.", exit_codes_text()));
  return text;
}

namespace {

// The whole command as a page of the manual, and its verbs as words of a completion.
HelpPage overview_page(const Registry& registry) {
  HelpPage page{"ckptbridge",
                "ckptbridge VERB [arguments]",
                "Moves model checkpoints from one format to another. Readers, transforms and "
                "writers are plugins; tensors stream through a bounded buffer, and each verb's own "
                "page (ckptbridge-VERB) says what it takes.",
                {}};
  const auto add = [&](std::string_view name, std::string_view summary, const char* heading) {
    page.entries.push_back({{std::string(name)}, "", std::string(summary), heading, false});
  };
  for (const Verb& verb : verbs()) add(verb.name, verb.summary, "Verbs");
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    add(manifest->preset->verb, manifest->summary, "Presets");
  }
  page.entries.push_back({{"-h", "--help"}, "", "Print an overview", "Options", false});
  page.entries.push_back({{"--version"}, "", "Print the version", "Options", false});
  for (const ExitCode& row : exit_codes()) {
    page.entries.push_back(
        {{std::to_string(row.code)}, "", std::string(row.meaning), "Exit status", false});
  }
  return page;
}

// --help=words of the whole command: its verbs.
std::string verb_words(const Registry& registry) {
  constexpr const char* kWords = "{}\t-\t{}\n";
  std::string text;
  for (const Verb& verb : verbs()) text += fmt::format(kWords, verb.name, verb.summary);
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    text += fmt::format(kWords, manifest->preset->verb, manifest->summary);
  }
  return text;
}

[[noreturn]] void refuse_verb(const std::string& name, const Registry& registry) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) names.emplace_back(verb.name);
  for (const Manifest* manifest : registry.with_role(Role::kPreset)) {
    names.push_back(manifest->preset->verb);
  }
  throw Error(CKB_INVALID_ARGUMENT,
              fmt::format("unknown verb \"{}\"; there are {}", name, list_text(names)),
              {.hint = suggestion(name, names)});
}

}  // namespace

int dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    fmt::print(stderr, "{}", short_usage());
    return 2;
  }
  const std::string& first = arguments.front();
  const bool help_of_verb = first == "help" && arguments.size() > 1;
  if (first == "--help" || first == "-h" || (first == "help" && !help_of_verb)) {
    fmt::print("{}", overview(open_registry(arguments)));
    return 0;
  }
  if (first == "--help=man" || first == "--help=words") {
    const Registry registry = open_registry(arguments);
    fmt::print("{}",
               first == "--help=man" ? manual_page(overview_page(registry)) : verb_words(registry));
    return 0;
  }
  if (first == "--version" || first == "version") {
    fmt::print("ckptbridge {} (plugin ABI {}.{})\n", kVersion, CKB_ABI_MAJOR, CKB_ABI_MINOR);
    return 0;
  }
  const std::string& name = help_of_verb ? arguments[1] : first;
  if (name.starts_with("-")) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("option {} before a verb", name),
                {.hint = fmt::format(
                     "options follow it, as in: ckptbridge convert IN OUT --to FORMAT {}", name)});
  }
  const Arguments rest =
      help_of_verb ? Arguments{"--help"} : Arguments(arguments.begin() + 1, arguments.end());
  if (const Verb* verb = find_verb(name)) {
    return verb->convert == nullptr ? verb->run(rest) : verb->convert(rest, false);
  }
  const Registry registry = open_registry(arguments);
  const Manifest* preset = find_preset(registry, name);
  if (preset == nullptr) refuse_verb(name, registry);
  return run_preset(registry, *preset, rest, false);
}

}  // namespace ckptbridge::cli
