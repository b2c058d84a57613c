// Each case of the catalogue is refused as errors.txt says, and leaves nothing behind; and each
// message of the sources is in it, expected by a test of a unit, or in untold.txt with the reason.
//
// CKPTBRIDGE_WRITE_ERRORS=FILE writes what the cases say now, to be read before it is kept.
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "core/text/json.h"
#include "tests/cli/errors/case.h"
#include "tests/cli/errors/sources.h"
#include "tests/paths.h"

namespace ckptbridge::errors {
namespace {

using testing::HasSubstr;
namespace fs = boost::filesystem;

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& group : {usage_cases(), chain_cases(), zero1_cases(), zero3_cases(),
                            nemo2_cases(), safetensors_cases(), model_cases(), pickle_cases(),
                            zip_cases(), legacy_cases(), output_cases(), verify_cases()}) {
    cases.insert(cases.end(), group.begin(), group.end());
  }
  return cases;
}

// What is below a folder, with contents.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> result;
  for (const std::string& name : TempFolder::tree_of(folder)) {
    result[name] = name.ends_with("/") ? "" : TempFolder::text_of(folder / name);
  }
  return result;
}

// Paths of this machine as words; of a list of folders, the first line is enough.
std::string portable(std::string text, const Scratch& scratch) {
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  replace(scratch.folder().path().string(), "DIR");
  replace(std::string(paths::golden()), "GOLDEN");
  replace(fs::current_path().string(), "HERE");
  if (const auto list = text.find("\nsearched:"); list != std::string::npos) text.resize(list);
  return text;
}

// Runs a case, and checks all but what it says. Returns what it says: lines of errors.txt.
std::string run(const Case& what) {
  SCOPED_TRACE(what.name);
  const Scratch scratch;
  Arguments arguments = what.make(scratch);
  // Behind the other options: the case may be about these.
  arguments.emplace_back("--json");
  const auto before = contents(scratch.folder().path());
  const Outcome outcome = command(arguments);
  EXPECT_TRUE(contents(scratch.folder().path()) == before) << "something was left behind";
  EXPECT_EQ(outcome.out, "");
  const auto line = outcome.err.rfind('\n', outcome.err.empty() ? 0 : outcome.err.size() - 2);
  const std::string last = line == std::string::npos ? outcome.err : outcome.err.substr(line + 1);
  const Json error = last.starts_with('{') ? Json::parse(last) : Json();
  if (!error.contains("message")) {
    ADD_FAILURE() << "exit code " << outcome.code << ", no error: " << outcome.err;
    return "";
  }
  const std::string& message = error["message"].text();
  std::string text =
      fmt::format("{}\n  {} {}\n", what.name, outcome.code, error["code"].get<std::string>());
  std::istringstream lines(portable(message, scratch));
  for (std::string one; std::getline(lines, one);) text += "  | " + one + "\n";
  for (const char* member : {"file", "tensor", "hint"}) {
    if (error[member].is_null()) continue;
    const std::string& value = error[member].text();
    text += fmt::format("  {}: {}\n", member, portable(value, scratch));
    // A message may name the folder and the file apart.
    const std::string told =
        std::string(member) == "file" ? fs::path(value).filename().string() : value;
    EXPECT_THAT(message, HasSubstr(told)) << member;
  }
  return text;
}

// What all cases say. They run once in a process.
const std::map<std::string, std::string>& told() {
  static const auto result = [] {
    std::map<std::string, std::string> texts;
    for (const Case& what : all_cases()) texts[what.name] = run(what);
    return texts;
  }();
  return result;
}

std::string catalogue_folder() { return std::string(paths::sources()) + "/tests/cli/errors/"; }

TEST(Errors, AreThoseOfTheCatalogue) {
  std::string all;
  for (const Case& what : all_cases()) all += told().at(what.name) + "\n";
  if (const char* file = std::getenv("CKPTBRIDGE_WRITE_ERRORS")) {
    std::ofstream(file, std::ios::binary) << all;
    GTEST_SKIP() << "written to " << file;
  }
  const std::string expected = TempFolder::text_of(catalogue_folder() + "errors.txt");
  for (const Case& what : all_cases()) {
    const std::string& text = told().at(what.name);
    EXPECT_NE(("\n" + expected).find("\n" + text), std::string::npos)
        << "errors.txt does not have:\n"
        << text;
  }
  EXPECT_EQ(all.size(), expected.size()) << "errors.txt has cases that there are not";
}

TEST(Errors, HaveNamesOfTheirOwn) {
  std::map<std::string, int> names;
  for (const Case& what : all_cases()) EXPECT_EQ(names[what.name]++, 0) << what.name;
}

// All text below a folder.
std::string all_text(const fs::path& folder) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".cpp") text += TempFolder::text_of(entry.path());
  }
  return text;
}

// A literal that is broken over lines as one.
std::string joined(std::string text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      const auto next = text.find_first_not_of(" \n", i + 1);
      if (next != std::string::npos && next > i + 1 && text[next] == '"') {
        i = next;
        continue;
      }
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    result += text[i];
  }
  return result;
}

TEST(Errors, EachMessageOfTheSourcesIsToldOrListed) {
  const fs::path sources(paths::sources());
  std::string catalogue;
  for (const auto& [name, text] : told()) catalogue += text;
  const std::string units = joined(all_text(sources / "tests/unit"));
  const std::string faults = joined(all_text(sources / "tests/faults"));
  std::map<std::string, bool> untold;  // and whether a source has it
  std::istringstream list(TempFolder::text_of(catalogue_folder() + "untold.txt"));
  for (std::string line; std::getline(list, line);) {
    if (line.starts_with("| ")) untold[line.substr(2)] = false;
  }
  const auto messages = messages_in(sources, {"core", "cli", "plugins"});
  EXPECT_GT(messages.size(), 250u);
  for (const SourceMessage& message : messages) {
    const auto has = [&](const std::string& text) {
      return text.find(message.text) != std::string::npos;
    };
    const bool is_told = has(catalogue) || has(units) || has(faults);
    const auto listed = untold.find(message.text);
    if (listed != untold.end()) listed->second = !is_told;
    EXPECT_TRUE(is_told || listed != untold.end())
        << message.place << ": add a case that is told this, or list it in untold.txt:\n| "
        << message.text;
  }
  for (const auto& [text, is_needed] : untold) {
    EXPECT_TRUE(is_needed) << "untold.txt: is told, or in no source: " << text;
  }
}

}  // namespace
}  // namespace ckptbridge::errors
