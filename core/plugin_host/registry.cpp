#include "core/plugin_host/registry.h"

#include <algorithm>
#include <map>
#include <set>

#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/disk/file.h"
#include "core/text/name_patterns.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using boost::system::error_code;

constexpr std::uint64_t kLargestManifest = 1 << 20;

std::string read_manifest_text(const fs::path& file) {
  error_code problem;
  const auto size = fs::file_size(file, problem);
  if (problem) throw file_error(problem.value(), file, "cannot be examined");
  if (size > kLargestManifest) {
    throw Error(
        CKB_CORRUPT,
        fmt::format("{}: {} bytes are too many for a manifest", file.string(), count_text(size)),
        {.file = file.string()});
  }
  std::string text(size, '\0');
  fs::ifstream in(file, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in)
    throw Error(CKB_IO, fmt::format("{}: cannot be read", file.string()), {.file = file.string()});
  return text;
}

// <id>.json; <id>.check.json belongs to the conformance kit.
bool is_manifest_name(const std::string& name) {
  return name.ends_with(".json") && !name.ends_with(".check.json");
}

std::vector<fs::path> manifests_in(const fs::path& folder, error_code& problem) {
  std::vector<fs::path> files;
  for (fs::directory_iterator file(folder, problem), end; !problem && file != end;
       file.increment(problem)) {
    if (is_manifest_name(file->path().filename().string())) files.push_back(file->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Registry::Registry(const SearchPath& path) {
  std::set<fs::path> seen;
  for (const auto& folder : path.folders) {
    if (seen.insert(folder.path.lexically_normal()).second) read_folder(folder, path);
  }
  std::map<std::string, std::string> first;  // the manifest that wins, by id
  for (auto& entry : entries_) {
    if (entry.out_of_place) continue;  // such a one never hides the real one
    const auto [winner, is_first] = first.emplace(entry.id, entry.path.string());
    if (!is_first) entry.shadowed_by = winner->second;
  }
}

void Registry::read_folder(const SearchFolder& folder, const SearchPath& path) {
  FolderReport report;
  report.folder = folder;
  report.state = untrusted_folder(folder, path.caller);
  error_code problem;
  if (report.state.empty() && !fs::is_directory(folder.path, problem)) report.state = "absent";
  if (report.state.empty()) report.state = writable_by_others(folder.path, path);
  if (report.state.empty()) {
    for (const auto& file : manifests_in(folder.path, problem)) {
      entries_.push_back(read_entry(file, folder, path));
      report.ids.push_back(entries_.back().id);
    }
    if (problem) report.state = problem.message();
  }
  if (folder.origin == Origin::kOption && !report.state.empty()) {
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("--plugin-dir {}: {}", folder.path.string(),
                            report.state == "absent" ? "there is no such folder" : report.state));
  }
  folders_.push_back(std::move(report));
}

PluginEntry Registry::read_entry(const fs::path& file, const SearchFolder& folder,
                                 const SearchPath& path) const {
  PluginEntry entry;
  entry.id = file.stem().string();
  entry.path = file;
  entry.origin = folder.origin;
  entry.out_of_place =
      is_ours(entry.id) && folder.origin != Origin::kOption && folder.origin != Origin::kInstalled;
  if (entry.out_of_place) {
    entry.problem =
        "a name without a dot belongs to ckptbridge's own plugins; name it "
        "vendor.name, or give its folder by --plugin-dir";
    return entry;
  }
  entry.problem = writable_by_others(file, path);
  if (!entry.problem.empty()) return entry;
  try {
    entry.manifest = parse_manifest(read_manifest_text(file), file);
    entry.problem = entry.manifest.unusable;
  } catch (const Error& error) {
    entry.problem = error.what();
    entry.corrupt = true;
    return entry;
  }
  if (entry.problem.empty() && !entry.manifest.library.empty()) {
    error_code problem;
    if (!fs::exists(entry.manifest.library_path(), problem)) {
      entry.problem = fmt::format("its library {} is not there", entry.manifest.library);
    } else {
      entry.problem = writable_by_others(entry.manifest.library_path(), path);
    }
  }
  return entry;
}

const PluginEntry* Registry::find(const std::string& id) const {
  const PluginEntry* out_of_place = nullptr;
  for (const auto& entry : entries_) {
    if (entry.id != id || !entry.shadowed_by.empty()) continue;
    if (!entry.out_of_place) return &entry;
    out_of_place = &entry;
  }
  return out_of_place;
}

const Manifest& Registry::require(const std::string& id) const {
  const PluginEntry* entry = find(id);
  if (entry == nullptr) {
    std::vector<std::string> ids;
    ids.reserve(entries_.size());
    for (const auto& known : entries_) ids.push_back(known.id);
    // Behind the suggestion, which is short, comes what is long.
    const Error failure(CKB_NOT_FOUND, fmt::format("no plugin \"{}\"", id),
                        {.hint = suggestion(id, ids)});
    throw failure.retold(CKB_NOT_FOUND, fmt::format("{}\n{}", failure.what(), search_report()));
  }
  if (entry->corrupt)
    throw Error(CKB_CORRUPT, entry->problem,
                {.file = entry->path.string()});  // names the path already
  if (!entry->problem.empty()) {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("plugin {} ({}) cannot be used: {}", id, entry->path.string(), entry->problem),
        {.file = entry->path.string()});
  }
  return entry->manifest;
}

void Registry::refuse(const std::string& id, const std::string& problem) {
  for (auto& entry : entries_) {
    if (&entry == find(id)) entry.problem = problem;
  }
}

std::vector<const Manifest*> Registry::with_role(Role role) const {
  std::vector<const Manifest*> result;
  for (const auto& entry : entries_) {
    if (entry.problem.empty() && entry.shadowed_by.empty() && entry.manifest.has(role)) {
      result.push_back(&entry.manifest);
    }
  }
  std::sort(result.begin(), result.end(),
            [](const Manifest* a, const Manifest* b) { return a->id < b->id; });
  return result;
}

std::vector<std::string> Registry::formats(Role role) const {
  std::set<std::string> formats;
  for (const auto* manifest : with_role(role)) formats.insert(manifest->format);
  return {formats.begin(), formats.end()};
}

const Manifest& Registry::require(Role role, const std::string& format) const {
  std::vector<const Manifest*> found;
  std::vector<std::string> ids;
  for (const auto* manifest : with_role(role)) {
    if (hyphenated(manifest->format) != hyphenated(format)) continue;
    found.push_back(manifest);
    ids.push_back(manifest->id);
  }
  if (found.size() == 1) return *found.front();
  if (found.size() > 1) {
    throw Error(
        CKB_INVALID_ARGUMENT,
        fmt::format("format {} has several {}s, {}", format, role_name(role), list_text(ids)),
        {.hint = fmt::format("name one in a chain, as in ckptbridge run {} path=…", ids.front())});
  }
  const auto known = formats(role);
  if (known.empty()) {
    throw Error(CKB_NOT_FOUND, fmt::format("there is no plugin that is a {}\n{}", role_name(role),
                                           search_report()));
  }
  throw Error(CKB_INVALID_ARGUMENT,
              fmt::format("no {} for the format \"{}\"; there are {}", role_name(role), format,
                          list_text(known)),
              {.hint = suggestion(format, known)});
}

std::vector<const Manifest*> Registry::candidates(const fs::path& input) const {
  const auto names = names_at(input);
  std::vector<const Manifest*> result;
  for (const auto* manifest : with_role(Role::kReader)) {
    const bool fits = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::any_of(manifest->matches.begin(), manifest->matches.end(),
                         [&](const std::string& pattern) { return glob_matches(pattern, name); });
    });
    if (fits) result.push_back(manifest);
  }
  return result;
}

std::string Registry::search_report() const {
  std::string report = "searched:";
  for (const auto& [folder, state, ids] : folders_) {
    std::string found = state;
    if (state.empty()) found = ids.empty() ? "no manifest" : list_text(ids);
    report += fmt::format("\n  {}: {}", folder.path.string(), found);
    for (const auto& entry : entries_) {
      if (entry.path.parent_path() != folder.path || entry.problem.empty()) continue;
      report += fmt::format("\n    {} cannot be used: {}", entry.id, entry.problem);
    }
  }
  return report;
}

bool is_ours(const std::string& id) { return id.find('.') == std::string::npos; }

std::vector<std::string> names_at(const fs::path& input) {
  error_code problem;
  if (!fs::is_directory(input, problem)) return {input.filename().string()};
  std::vector<std::string> names;
  std::vector<fs::path> folders;
  for (fs::directory_iterator item(input, problem), end; !problem && item != end;
       item.increment(problem)) {
    names.push_back(item->path().filename().string());
    error_code no_folder;
    if (fs::is_directory(item->path(), no_folder)) folders.push_back(item->path());
  }
  for (const auto& folder : folders) {
    error_code unreadable;  // a guess needs no more than what may be read
    for (fs::directory_iterator item(folder, unreadable), end; !unreadable && item != end;
         item.increment(unreadable)) {
      names.push_back(item->path().filename().string());
    }
  }
  return names;
}

}  // namespace ckptbridge
