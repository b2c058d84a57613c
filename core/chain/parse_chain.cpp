// Chains as text: the form of `ckptbridge run`, and the same in JSON.
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/chain/chain.h"
#include "core/text/json_object.h"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

constexpr const char* kExample = "READER path=IN ! WRITER path=OUT";

[[noreturn]] void refuse(const std::string& problem) { throw Error(CKB_INVALID_ARGUMENT, problem); }

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool begins_with_option(const std::string& argument) {
  const auto sign = argument.find('=');
  if (sign == std::string::npos || sign == 0) return false;
  for (std::size_t i = 0; i < sign; ++i) {
    if (!is_name_character(argument[i])) return false;
  }
  return true;
}

// Splits text at blanks as a shell does.
std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'') {
      if (++i == text.size()) refuse(fmt::format("nothing follows the backslash in: {}", text));
      word += text[i];
      in_word = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(word);
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') refuse(fmt::format("a quote ({}) is not closed in: {}", quote, text));
  if (in_word) words.push_back(word);
  return words;
}

// Takes path= from the ends, where it must be, and finds it nowhere else.
ChainText with_ends(std::vector<StepText> steps) {
  ChainText chain;
  if (steps.size() < 2) {
    refuse(fmt::format("a chain has a reader and a writer at least, as in: {}", kExample));
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool is_end = i == 0 || i + 1 == steps.size();
    std::string path;
    std::vector<OptionText> others;
    for (auto& option : steps[i].options) {
      if (option.name != "path") {
        others.push_back(std::move(option));
      } else if (!is_end) {
        refuse(fmt::format("{}: path= belongs to the first and the last plugin of a chain",
                           steps[i].plugin));
      } else if (!path.empty()) {
        refuse(fmt::format("{}: path= is given twice", steps[i].plugin));
      } else {
        path = option.value.value_or("");
      }
    }
    if (is_end && path.empty()) {
      refuse(fmt::format("{}: path={} is missing", steps[i].plugin, i == 0 ? "IN" : "OUT"));
    }
    if (i == 0) chain.input = path;
    if (i + 1 == steps.size()) chain.output = path;
    steps[i].options = std::move(others);
  }
  chain.steps = std::move(steps);
  return chain;
}

std::string option_value(const JsonObject& options, const std::string& name, const Json& value) {
  if (value.is_string()) return value.text();
  if (value.is_number() || value.is_boolean()) return value.dump();
  options.expected(name, "text, a number, true, false, or an array of these");
}

StepText parse_step(JsonObject& object) {
  StepText step;
  step.plugin = object.string("plugin");
  if (object.find("path") != nullptr) step.options.push_back({"path", object.string("path")});
  if (const Json* given = object.find("options")) {
    const JsonObject options = object.object("options");
    for (const auto& [name, value] : given->items()) {
      for (const Json& item : value.is_array() ? value.elements() : Json::Array{value}) {
        step.options.push_back({name, option_value(options, name, item)});
      }
    }
  }
  object.require_all_read();
  return step;
}

}  // namespace

ChainText parse_chain(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (const auto& argument : arguments) {
    if (begins_with_option(argument)) {
      words.push_back(argument);
    } else {
      const auto parts = split_words(argument);
      words.insert(words.end(), parts.begin(), parts.end());
    }
  }
  if (words.empty()) refuse(fmt::format("a chain of plugins is missing, such as: {}", kExample));
  std::vector<StepText> steps;
  bool begins = true;  // the next word is a plugin's id
  for (const auto& word : words) {
    if (word == "!") {
      if (begins) refuse("a plugin is missing before a !");
      begins = true;
    } else if (begins) {
      if (word.find('!') != std::string::npos) {
        refuse(fmt::format("\"{}\" is not a plugin; put blanks around the !", word));
      }
      if (word.find('=') != std::string::npos) {
        refuse(fmt::format("a plugin is missing before the option {}", word));
      }
      steps.push_back({word, {}});
      begins = false;
    } else {
      auto option = split_option(word);
      if (option.name.starts_with("--")) option.name.erase(0, 2);
      steps.back().options.push_back(std::move(option));
    }
  }
  if (begins) refuse("a plugin is missing after the last !");
  return with_ends(std::move(steps));
}

ChainText parse_chain_json(const std::string& text, const std::string& where) {
  const Json document = Json::parse(text, where);
  JsonObject object(document, where);
  std::vector<StepText> steps;
  for (JsonObject& step : object.objects("steps")) steps.push_back(parse_step(step));
  object.require_all_read();
  return with_ends(std::move(steps));
}

std::string run_line(const ChainText& chain) {
  std::string line = "ckptbridge run";
  for (std::size_t i = 0; i < chain.steps.size(); ++i) {
    if (i > 0) line += " !";
    line += " " + shell_quoted(chain.steps[i].plugin);
    if (i == 0) line += " " + shell_quoted("path=" + chain.input.string());
    for (const auto& option : chain.steps[i].options) {
      line += " " + shell_quoted(option.value ? option.name + "=" + *option.value : option.name);
    }
    if (i + 1 == chain.steps.size()) line += " " + shell_quoted("path=" + chain.output.string());
  }
  return line;
}

}  // namespace ckptbridge
