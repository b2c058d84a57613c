#include "cli/terminal/command_line.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/terminal/manual.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// Help in two columns, with the usage line that the verb wrote itself.
class Formatter : public CLI::Formatter {
 public:
  explicit Formatter(std::string usage) : usage_(std::move(usage)) { column_width(34); }

  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return fmt::format("Usage: {}\n", usage_);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() ? "" : " " + option->get_type_name();
  }

 private:
  std::string usage_;
};

// What CLI11 gets for an argument: "--model_path=a_b" as "--model-path=a_b". It would take the
// next argument as the value of "--tag=", so that becomes two.
void add_argument(const std::string& argument, std::vector<std::string>& arguments) {
  if (!argument.starts_with("--")) {
    arguments.push_back(argument);
    return;
  }
  const auto end = std::min(argument.find('='), argument.size());
  const std::string name = hyphenated(argument.substr(0, end));
  if (end + 1 == argument.size()) {
    arguments.push_back(name);
    arguments.emplace_back();
  } else {
    arguments.push_back(name + argument.substr(end));
  }
}

[[noreturn]] void refuse(const std::string& problem, const std::string& hint = "") {
  throw Error(CKB_INVALID_ARGUMENT, problem, {.hint = hint});
}

}  // namespace

struct CommandLine::State {
  enum class Count { kAny, kAtMostOne, kOne };

  struct Declared {
    CLI::Option* option;
    std::string shown;  // in messages
    std::string heading;
    Count count;
    Receiver receive;
  };

  CLI::App app;
  HelpPage page;  // all but its entries
  std::string heading = "Options";
  std::vector<Declared> declared;
  std::vector<std::string> names{"--help"};  // with dashes, for "did you mean"

  // The option is read by its raw words after parsing: CLI11 converts and counts nothing.
  void add(const std::string& names_and_dashes, const std::string& value_name,
           const std::string& help, Count count, Receiver receive) {
    const bool is_positional = names_and_dashes.front() != '-';
    const bool is_flag = value_name.empty() && !is_positional;
    const std::string known = is_positional ? names_and_dashes : hyphenated(names_and_dashes);
    CLI::Option* option = is_flag ? app.add_flag(known) : app.add_option(known, CLI::callback_t());
    option->description(help)->type_name(value_name);
    option->group(help.empty() ? "" : heading);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(is_positional && count == Count::kAny);
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    declared.push_back(
        {option, option->get_name(is_positional), heading, count, std::move(receive)});
  }

  // What --help does not show: options that have another, shorter name.
  void show_all() const {
    for (const Declared& what : declared) {
      if (what.option->get_description().empty()) {
        what.option->description("The same, for this plugin alone")->group(what.heading);
      }
    }
  }

  HelpPage whole_page() const {
    HelpPage result = page;
    result.entries.push_back({{"-h", "--help"}, "", "Print this", "Options", false});
    for (const Declared& what : declared) {
      const CLI::Option& option = *what.option;
      if (option.get_description().empty()) continue;
      HelpEntry entry{{},
                      option.get_type_name(),
                      option.get_description(),
                      what.heading,
                      option.get_positional()};
      if (entry.is_positional) entry.names.push_back(option.get_name(true));
      for (const auto& name : option.get_snames()) entry.names.push_back("-" + name);
      for (const auto& name : option.get_lnames()) entry.names.push_back("--" + name);
      result.entries.push_back(std::move(entry));
    }
    // Arguments first; options in the order in which they were declared.
    std::stable_partition(result.entries.begin(), result.entries.end(),
                          [](const HelpEntry& entry) { return entry.is_positional; });
    return result;
  }

  // Prints the help that the word asks for; false if it asks for none of these.
  bool print_help(const std::string& word) const {
    if (word == "--help=man") {
      fmt::print("{}", manual_page(whole_page()));
    } else if (word == "--help=words") {
      fmt::print("{}", completion_words(whole_page()));
    } else if (hyphenated(word) == "--help-all") {
      show_all();
      fmt::print("{}", app.help());
    } else {
      return false;
    }
    return true;
  }

  void receive(const Declared& what, const std::vector<std::string>& values) const {
    if (values.empty() && what.count == Count::kOne)
      refuse(fmt::format("{} is missing", what.shown));
    if (values.size() > 1 && what.count != Count::kAny) {
      refuse(fmt::format("{} is given {} times: {}", what.shown, values.size(), list_text(values)));
    }
    const bool is_flag = what.option->get_type_name().empty() && !what.option->get_positional();
    for (const auto& value : values) {
      if (is_flag && value == "true") {
        what.receive(std::nullopt);
      } else if (value.starts_with("--") && !what.option->get_positional()) {
        refuse(fmt::format("{} needs a value, found {}", what.shown, value));
      } else {
        what.receive(value);
      }
    }
  }
};

CommandLine::CommandLine(const std::string& usage, const std::string& summary,
                         const std::string& program)
    : state_(std::make_unique<State>()) {
  const std::string whole_usage = program + " " + usage;
  const std::string verb = program == "ckptbridge" ? "-" + usage.substr(0, usage.find(' ')) : "";
  state_->page = {program + verb, whole_usage, summary, {}};
  state_->app.description(summary);
  state_->app.formatter(std::make_shared<Formatter>(whole_usage));
  state_->app.set_help_flag("-h,--help", "Print this");
  state_->app.allow_extras();
}

CommandLine::~CommandLine() = default;

void CommandLine::heading(const std::string& text) { state_->heading = text; }

void CommandLine::positional(const std::string& name, std::string& value, const std::string& help) {
  state_->add(name, "", help, State::Count::kOne, [&value](const auto& word) { value = *word; });
}

void CommandLine::optional_positional(const std::string& name, std::string& value,
                                      const std::string& help) {
  state_->add(name, "", help, State::Count::kAtMostOne,
              [&value](const auto& word) { value = *word; });
}

void CommandLine::positionals(const std::string& name, std::vector<std::string>& values,
                              const std::string& help) {
  state_->add(name, "", help, State::Count::kAny,
              [&values](const auto& word) { values.push_back(*word); });
}

void CommandLine::option(const std::string& names, const std::string& value_name,
                         std::string& value, const std::string& help) {
  state_->add(names, value_name, help, State::Count::kAtMostOne,
              [&value](const auto& word) { value = *word; });
}

void CommandLine::required_option(const std::string& names, const std::string& value_name,
                                  std::string& value, const std::string& help) {
  state_->add(names, value_name, help, State::Count::kOne,
              [&value](const auto& word) { value = *word; });
}

void CommandLine::repeated_option(const std::string& names, const std::string& value_name,
                                  std::vector<std::string>& values, const std::string& help) {
  state_->add(names, value_name, help, State::Count::kAny,
              [&values](const auto& word) { values.push_back(*word); });
}

void CommandLine::flag(const std::string& names, bool& value, const std::string& help) {
  state_->add(names, "", help, State::Count::kAny, [&value, names](const auto& word) {
    if (word && *word != "false") refuse(fmt::format("{} takes no value, found {}", names, *word));
    value = !word.has_value();
  });
}

void CommandLine::received_option(const std::string& names, const std::string& value_name,
                                  const std::string& help, Receiver receiver) {
  state_->add(names, value_name, help, State::Count::kAny, std::move(receiver));
}

bool CommandLine::has(const std::string& name) const {
  const std::string dashes = name.starts_with('-') ? "" : "--";
  return state_->app.get_option_no_throw(dashes + hyphenated(name)) != nullptr;
}

bool CommandLine::give(const std::string& name, const std::string& value) {
  const CLI::Option* option = state_->app.get_option_no_throw("--" + hyphenated(name));
  for (const auto& what : state_->declared) {
    if (what.option != option) continue;
    if (!option->results().empty()) return false;
    state_->receive(what, {value});
  }
  return true;
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  bool only_words = false;  // behind "--"
  for (const auto& argument : arguments) {
    only_words = only_words || argument == "--";
    if (!only_words && state_->print_help(argument)) return false;
    if (only_words) {
      words.push_back(argument);
    } else {
      add_argument(argument, words);
    }
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    state_->app.parse(words);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", state_->app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    refuse(error.what());
  }
  for (const auto& extra : state_->app.remaining()) {
    if (extra == "--") continue;  // CLI11 keeps it among what it did not need
    const auto name = extra.substr(0, extra.find('='));
    if (!extra.starts_with("-")) refuse(fmt::format("unexpected argument \"{}\"", extra));
    refuse(fmt::format("unknown option {}", name), suggestion(name, state_->names));
  }
  for (const auto& what : state_->declared) state_->receive(what, what.option->results());
  return true;
}

}  // namespace ckptbridge::cli
