// ckptbridge profiles: the model sizes that plugins bring, what one of them says, and what is wrong
// with one of the user's own.
#include <algorithm>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/terminal/exit_code.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/plugin_host/profile_files.h"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

Json as_json(const ProfileFile& profile) {
  Json json = {
      {"name", profile.name},         {"aliases", profile.aliases},
      {"inherits", profile.inherits}, {"notes", profile.notes.value_or(std::vector<std::string>())},
      {"plugin", profile.plugin},     {"path", profile.path}};
  if (!profile.problem.empty()) json["problem"] = profile.problem;
  return json;
}

void print(const Json& json) { fmt::print("{}\n", json.dump(2)); }

int list(const std::vector<ProfileFile>& profiles, bool json) {
  if (json) {
    Json all = Json::array();
    for (const auto& profile : profiles) all.push_back(as_json(profile));
    print({{"profiles", all}});
    return 0;
  }
  std::size_t width = 0;
  for (const auto& profile : profiles) width = std::max(width, profile.name.size());
  for (const auto& profile : profiles) {
    std::vector<std::string> facts;
    if (!profile.aliases.empty()) facts.push_back("also " + list_text(profile.aliases));
    if (!profile.inherits.empty())
      facts.push_back("as " + profile.inherits + ", but for some fields");
    if (!profile.problem.empty()) facts = {profile.problem};
    fmt::print("{}\n", facts.empty() ? profile.name
                                     : fmt::format("{:<{}}  {}", profile.name, width,
                                                   fmt::join(facts, "; ")));
  }
  if (profiles.empty()) fmt::print("no plugin brings profiles; see `ckptbridge plugins`\n");
  return 0;
}

int show(const std::vector<ProfileFile>& profiles, const std::string& name, bool json) {
  const ProfileFile& profile = require_profile(profiles, name);
  const auto fields = profile_fields(profiles, profile);
  if (json) {
    Json result = as_json(profile);
    result["fields"] = Json::object();
    for (const auto& field : fields) result["fields"][field.name] = field.value;
    print(result);
    return 0;
  }
  fmt::print("{} ({})\n", profile.name, profile.path);
  if (!profile.aliases.empty()) fmt::print("also known as {}\n", list_text(profile.aliases));
  std::size_t width = 0;
  for (const auto& field : fields) width = std::max(width, field.name.size());
  for (const auto& field : fields) {
    const bool own = field.from == profile.name;
    fmt::print("  {:<{}}  {}{}\n", field.name, width, field.value.dump(),
               own ? "" : fmt::format("  (from {})", field.from));
  }
  for (const auto& note : profile.notes.value_or(std::vector<std::string>()))
    fmt::print("note: {}\n", note);
  return 0;
}

// Problems are the result that was asked for, and the exit code says that there are some.
int check(const std::vector<ProfileFile>& profiles, const std::string& file, bool json) {
  const auto problems = profile_problems(profiles, file);
  if (json) {
    print({{"path", file}, {"valid", problems.empty()}, {"problems", problems}});
  } else if (problems.empty()) {
    fmt::print("{}: a valid profile; pass it with --profile {}\n", file, shell_quoted(file));
  } else {
    for (const auto& problem : problems) fmt::print("{}: {}\n", file, problem);
  }
  return problems.empty() ? 0 : exit_code(CKB_UNSUPPORTED);
}

}  // namespace

int profiles(const Arguments& arguments) {
  std::string action = "list";
  std::string name;
  bool json = false;
  CommandLine line("profiles [list | show NAME | check FILE]",
                   "Lists model profiles, shows one, or says what is wrong with one of your own.");
  line.optional_positional("ACTION", action, "list (without it, too), show or check");
  line.optional_positional("NAME", name,
                           "Name or alias of the profile to show, or the file to check");
  line.flag("--json", json, "Print JSON");
  declare_plugin_dir(line);
  if (!line.parse(arguments)) return 0;
  const Registry registry = open_registry(arguments);
  const auto known = list_profiles(registry);
  if (action == "list" && name.empty()) return list(known, json);
  if (action == "show" && !name.empty()) return show(known, name, json);
  if (action == "check" && !name.empty()) return check(known, name, json);
  throw Error(CKB_INVALID_ARGUMENT, "usage: ckptbridge profiles [list | show NAME | check FILE]",
              {.hint = suggestion(action, {"list", "show", "check"})});
}

}  // namespace ckptbridge::cli
