// ckptbridge inspect IN: what it is, whether it is whole, and the command to type next.
#include "core/inspect.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/report/pieces.h"
#include "cli/report/tensor_list.h"
#include "cli/terminal/console.h"
#include "cli/verbs/setup.h"
#include "cli/verbs/verb_table.h"
#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

constexpr std::size_t kFew = 3;

// What was typed, and what the reader warned of.
struct Asked {
  Input input;
  bool verbose = false;
  std::vector<std::string> warnings;
};

// The input as typed, and what else was typed for plugins: the next command needs it again.
std::string command_for(const Input& input, const std::string& format) {
  auto command =
      fmt::format("ckptbridge convert {} OUT --to {}", shell_quoted(input.path.string()), format);
  if (!input.from.empty()) command += " --from " + shell_quoted(input.from);
  for (const auto& [name, value] : input.options) {
    command += fmt::format(" --{}{}", name, value ? " " + shell_quoted(*value) : "");
  }
  return command;
}

std::string row(const char* name, const std::string& text) {
  return fmt::format("{:<10} {}\n", name, text);
}

// Of a list the first few, and how many more there are.
std::string rows(const char* name, const std::vector<std::string>& texts, bool all) {
  const std::size_t shown = all ? texts.size() : std::min(texts.size(), kFew);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += row(i == 0 ? name : "", printable(texts[i]));
  if (shown < texts.size()) {
    text += row("", fmt::format("and {} more, with --verbose", count_text(texts.size() - shown)));
  }
  return text;
}

std::string contents_text(const Inspection& found) {
  std::string roles;
  for (const auto& [role, count] : found.roles) {
    roles += fmt::format("{}{} {}", roles.empty() ? "" : ", ", count_text(count), role);
  }
  std::string text = row("tensors", fmt::format("{}; {} in {}", roles, size_text(found.bytes),
                                                counted(found.files, "file")));
  for (const auto& [name, count] : found.dtypes) {
    text += row("", fmt::format("{}: {} tensors, {} elements", name, count_text(count.tensors),
                                count_text(count.elements)));
  }
  text += row("ranks", fmt::format("{} (model parallel)", found.mp_ranks));
  text += row("objects", count_text(found.objects));
  for (const auto& [key, value] : found.properties) {
    text += row("property", fmt::format("{} = {}", key, printable(value)));
  }
  return text;
}

std::string targets_text(const Inspection& found, const Input& input) {
  std::string text;
  for (const Target& target : found.targets) {
    if (target.problem.empty()) {
      text += row("next", command_for(input, target.format));
    } else {
      text += row("not", fmt::format("{}: {}", target.format, target.problem));
    }
  }
  if (found.targets.empty() && found.text.empty()) {
    text += row("next", "no chain of plugins leads from here to another format");
  }
  return text;
}

std::string text_of(const Inspection& found, const Asked& asked) {
  std::string text = asked.input.path.string() + "\n";
  text += row("format", fmt::format("{} ({})", found.format, found.summary));
  for (const auto& known : found.text) text += row("this is", known);
  if (found.reader.empty()) return text;
  text += row("reader", found.reader);
  text += row("complete", found.problem.empty() ? "yes" : "no: " + found.problem);
  text += rows("warning", asked.warnings, asked.verbose);
  if (!found.problem.empty()) return text;
  text += contents_text(found);
  text += rows("not read", found.unread, asked.verbose);
  if (!found.model_size.empty()) text += row("size", found.model_size);
  for (const auto& note : found.notes) text += row("", note);
  return text + targets_text(found, asked.input);
}

Json json_of(const Inspection& found, const Asked& asked) {
  const Input& input = asked.input;
  Json json = {{"input", input.path.string()},
               {"format", found.format},
               {"summary", found.summary},
               {"readable", !found.reader.empty()}};
  if (!found.text.empty()) json["text"] = found.text;
  if (found.reader.empty()) return json;
  json["reader"] = found.reader;
  json["complete"] = found.problem.empty();
  json["warnings"] = asked.warnings;
  if (!found.problem.empty()) {
    json["problem"] = found.problem;
    return json;
  }
  json["properties"] = found.properties;
  json["files"] = found.files;
  json["bytes"] = found.bytes;
  json["ranks"] = found.mp_ranks;
  json["tensors"] = found.roles;
  json["dtypes"] = Json::object();
  for (const auto& [name, count] : found.dtypes) {
    json["dtypes"][name] = {
        {"tensors", count.tensors}, {"elements", count.elements}, {"bytes", count.bytes}};
  }
  json["objects"] = found.objects;
  json["not_read"] = found.unread;
  json["model_size"] = found.model_size;
  json["notes"] = found.notes;
  json["targets"] = Json::array();
  for (const Target& target : found.targets) {
    Json next = {{"format", target.format}, {"possible", target.problem.empty()}};
    if (target.problem.empty()) {
      next["command"] = command_for(input, target.format);
      next["chain"] = target.chain;
    } else {
      next["problem"] = target.problem;
    }
    json["targets"].push_back(next);
  }
  return json;
}

std::string dump(const Json& json, int indent) { return json.dump(indent); }

// The same object, with the tensors as one more member, a line each: together they may be larger
// than memory.
void print_json(const Json& head, const Graph& graph, const std::vector<const Tensor*>& tensors) {
  std::string text = dump(head, 2);
  text.resize(text.rfind("\n}"));
  fmt::print("{},\n  \"tensor_list\": [", text);
  const char* separator = "\n";
  for (const Tensor* tensor : tensors) {
    fmt::print("{}    {}", separator, dump(tensor_json(graph, *tensor), -1));
    separator = ",\n";
  }
  fmt::print("\n  ]\n}}\n");
}

void print(const Inspection& found, const Asked& asked, const std::optional<Checkpoint>& checkpoint,
           const std::optional<std::vector<std::string>>& patterns, bool json) {
  const bool is_listed = patterns && !found.reader.empty() && found.problem.empty();
  // Before the first line: a pattern may fit nothing.
  const auto tensors =
      is_listed ? listed_tensors(checkpoint->graph, *patterns) : std::vector<const Tensor*>{};
  if (json && is_listed) {
    print_json(json_of(found, asked), checkpoint->graph, tensors);
  } else if (json) {
    fmt::print("{}\n", dump(json_of(found, asked), 2));
  } else {
    print_text(text_of(found, asked));
    if (!is_listed) return;
    fmt::print("\n");
    list_tensors(checkpoint->graph, tensors, asked.verbose, folder_of(asked.input.path),
                 print_text);
  }
}

}  // namespace

int inspect(const Arguments& arguments) {
  const Registry registry = open_registry(arguments);
  Asked asked;
  std::string input;
  std::optional<std::vector<std::string>> patterns;  // of --tensors; empty: all
  bool json = false;
  CommandLine line("inspect IN [--tensors[=GLOB]]... [--json]",
                   "Says what a checkpoint is: its format, model size, ranks and types, who wrote "
                   "it, whether it is complete, and the command to type next. Reads no tensor "
                   "data.");
  line.positional("IN", input, "A file or a folder");
  line.option("--from", "FORMAT", asked.input.from, "Format of IN, where it is not to be guessed");
  line.received_option("--tensors", "",
                       "List the tensors: role, dtype, shape, and where their bytes are. "
                       "--tensors=GLOB: those whose names fit (*, ?); may be repeated",
                       [&patterns](const auto& glob) {
                         if (!patterns) patterns.emplace();
                         if (glob) patterns->push_back(*glob);
                       });
  line.flag("--json", json, "Print JSON");
  line.flag("-v,--verbose", asked.verbose, "Print more: notes, whole lists, all pieces of tensors");
  declare_plugin_dir(line);
  declare_plugin_options(line, registry, asked.input.options);
  if (!line.parse(arguments)) return 0;
  asked.input.path = input;
  asked.input.folder = boost::filesystem::current_path();
  Console console(ProgressStyle::kNone, asked.verbose);
  ReadSettings settings;
  settings.feedback = console.feedback();
  std::mutex mutex;  // plugins may log from any thread
  settings.log = [&](int level, const std::string& message) {
    constexpr int kWarning = 2;
    if (level < kWarning) return console.log()(level, message);
    const std::scoped_lock lock(mutex);
    asked.warnings.push_back(message);
  };
  std::optional<Checkpoint> checkpoint;
  const Inspection found = inspect(registry, asked.input, settings, checkpoint);
  print(found, asked, checkpoint, patterns, json);
  if (found.failure) throw Error(*found.failure);
  return 0;
}

}  // namespace ckptbridge::cli
