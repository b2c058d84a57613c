// ckptbridge inspect IN: what it is, whether it is whole, and the command to type next.
#include "core/inspect.h"

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "cli/console.h"
#include "cli/setup.h"
#include "cli/verbs.h"
#include "core/words.h"

namespace ckptbridge::cli {
namespace {

using nlohmann::ordered_json;

// The input as typed, and what else was typed for plugins: the next command needs it again.
std::string command_for(const Request& request, const std::string& format) {
  auto command = fmt::format("ckptbridge convert {} OUT --to {}",
                             shell_quoted(request.input.string()), format);
  if (!request.from.empty()) command += " --from " + shell_quoted(request.from);
  for (const auto& [name, value] : request.options) {
    command += fmt::format(" --{}{}", name, value ? " " + shell_quoted(*value) : "");
  }
  return command;
}

std::string row(const char* name, const std::string& text) {
  return fmt::format("{:<10} {}\n", name, text);
}

std::string contents_text(const Inspection& found) {
  std::string roles;
  for (const auto& [role, count] : found.roles) {
    roles += fmt::format("{}{} {}", roles.empty() ? "" : ", ", count_text(count), role);
  }
  std::string text =
      row("tensors", fmt::format("{}; {} in {} file{}", roles, size_text(found.bytes),
                                 count_text(found.files), found.files == 1 ? "" : "s"));
  for (const auto& [name, count] : found.dtypes) {
    text += row("", fmt::format("{}: {} tensors, {} elements", name, count_text(count.tensors),
                                count_text(count.elements)));
  }
  text += row("ranks", fmt::format("{} (model parallel)", found.mp_ranks));
  text += row("objects", count_text(found.objects));
  for (const auto& [key, value] : found.properties) {
    text += row("property", fmt::format("{} = {}", key, value));
  }
  return text;
}

std::string targets_text(const Inspection& found, const Request& request) {
  std::string text;
  for (const Target& target : found.targets) {
    if (target.problem.empty()) {
      text += row("next", command_for(request, target.format));
    } else {
      text += row("not", fmt::format("{}: {}", target.format, target.problem));
    }
  }
  if (found.targets.empty() && found.text.empty()) {
    text += row("next", "no chain of plugins leads from here to another format");
  }
  return text;
}

std::string text_of(const Inspection& found, const Request& request, bool verbose) {
  std::string text = request.input.string() + "\n";
  text += row("format", fmt::format("{} ({})", found.format, found.summary));
  for (const auto& known : found.text) text += row("this is", known);
  if (found.reader.empty()) return text;
  text += row("reader", found.reader);
  text += row("complete", found.problem.empty() ? "yes" : "no: " + found.problem);
  if (!found.problem.empty()) return text;
  text += contents_text(found);
  if (!found.unread.empty()) {
    text += row("not read", verbose ? list_text(found.unread)
                                    : count_text(found.unread.size()) + " files, such as " +
                                          found.unread.front());
  }
  if (!found.model_size.empty()) text += row("size", found.model_size);
  for (const auto& note : found.notes) text += row("", note);
  return text + targets_text(found, request);
}

ordered_json json_of(const Inspection& found, const Request& request) {
  ordered_json json = {{"input", request.input.string()},
                       {"format", found.format},
                       {"summary", found.summary},
                       {"readable", !found.reader.empty()}};
  if (!found.text.empty()) json["text"] = found.text;
  if (found.reader.empty()) return json;
  json["reader"] = found.reader;
  json["complete"] = found.problem.empty();
  if (!found.problem.empty()) {
    json["problem"] = found.problem;
    return json;
  }
  json["properties"] = found.properties;
  json["files"] = found.files;
  json["bytes"] = found.bytes;
  json["ranks"] = found.mp_ranks;
  json["tensors"] = found.roles;
  json["dtypes"] = ordered_json::object();
  for (const auto& [name, count] : found.dtypes) {
    json["dtypes"][name] = {
        {"tensors", count.tensors}, {"elements", count.elements}, {"bytes", count.bytes}};
  }
  json["objects"] = found.objects;
  json["not_read"] = found.unread;
  json["model_size"] = found.model_size;
  json["notes"] = found.notes;
  json["targets"] = ordered_json::array();
  for (const Target& target : found.targets) {
    ordered_json next = {{"format", target.format}, {"possible", target.problem.empty()}};
    if (target.problem.empty()) {
      next["command"] = command_for(request, target.format);
      next["chain"] = target.chain;
    } else {
      next["problem"] = target.problem;
    }
    json["targets"].push_back(next);
  }
  return json;
}

}  // namespace

int inspect(const Arguments& arguments) {
  const Registry registry = open_registry(arguments);
  Request request;
  std::string input;
  bool json = false;
  bool verbose = false;
  CommandLine line("inspect IN [--json]",
                   "Says what a checkpoint is: its format, model size, ranks and types, whether it "
                   "is complete, and the command to type next. Reads no tensor data.");
  line.positional("IN", input, "A file or a folder");
  line.option("--from", "FORMAT", request.from, "Format of IN, where it is not to be guessed");
  line.flag("--json", json, "Print JSON");
  line.flag("-v,--verbose", verbose, "Print more: notes, whole lists");
  declare_plugin_dir(line);
  declare_plugin_options(line, registry, request.options);
  if (!line.parse(arguments)) return 0;
  request.input = input;
  request.folder = boost::filesystem::current_path();
  Console console(ProgressStyle::kNone, verbose);
  Settings settings;
  settings.feedback = console.feedback();
  settings.log = console.log();
  const Inspection found = inspect(registry, request, settings);
  if (json) {
    fmt::print("{}\n",
               json_of(found, request).dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    print_text(text_of(found, request, verbose));
  }
  if (!found.problem.empty()) throw Error(found.code, found.problem);
  return 0;
}

}  // namespace ckptbridge::cli
