// The arguments of one verb. command_line.cpp alone knows CLI11.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ckptbridge::cli {

// Declares what a verb takes, then reads it. Hyphens and underscores in the names of options are
// the same. What is bound must outlive parse().
class CommandLine {
 public:
  // usage: what follows the program in the help, such as "convert IN OUT --to FORMAT".
  CommandLine(const std::string& usage, const std::string& summary,
              const std::string& program = "ckptbridge");
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Options declared from here on stand below this heading of the help.
  void heading(const std::string& text);

  void positional(const std::string& name, std::string& value, const std::string& help);
  void optional_positional(const std::string& name, std::string& value, const std::string& help);
  void positionals(const std::string& name, std::vector<std::string>& values,
                   const std::string& help);

  // names: "--tag" or "-t,--tag"; value_name: "FOLDER". Giving an option twice is an error.
  void option(const std::string& names, const std::string& value_name, std::string& value,
              const std::string& help);
  void required_option(const std::string& names, const std::string& value_name, std::string& value,
                       const std::string& help);
  void repeated_option(const std::string& names, const std::string& value_name,
                       std::vector<std::string>& values, const std::string& help);
  void flag(const std::string& names, bool& value, const std::string& help);

  // Calls back with each value as typed; with nothing where there is none, which only a flag (no
  // value_name) may do. Where help is empty, only --help-all shows it.
  using Receiver = std::function<void(const std::optional<std::string>&)>;
  void received_option(const std::string& names, const std::string& value_name,
                       const std::string& help, Receiver receiver);

  // Whether an option of this name has been declared: "tag", or with its dashes, "-t".
  bool has(const std::string& name) const;

  // Hands a value to an option, by its name without dashes, as if it had been typed; after parse().
  // False, and nothing happens, where it was typed.
  bool give(const std::string& name, const std::string& value);

  // Reads the arguments behind the verb. False when they ask for help, which is on stdout then:
  // --help, --help-all, and for other programs --help=man and --help=words (manual.h). Throws
  // INVALID_ARGUMENT.
  [[nodiscard]] bool parse(const std::vector<std::string>& arguments);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ckptbridge::cli
