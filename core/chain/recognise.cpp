#include "core/chain/recognise.h"

#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/disk/file.h"
#include "core/text/name_patterns.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using boost::system::error_code;

bool any_fits(const std::vector<std::string>& names, const std::string& pattern) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return glob_matches(pattern, name); });
}

bool begins_with(const fs::path& file, const std::string& start) {
  error_code problem;
  if (!fs::is_regular_file(file, problem)) return false;
  std::string bytes(start.size(), '\0');
  try {
    const auto read = File::open_to_read(file).read_at(0, std::as_writable_bytes(std::span(bytes)));
    return read == start.size() && bytes == start;
  } catch (const Error&) {
    return false;  // what cannot be read is not recognised; a reader will say why
  }
}

// The file itself; of a folder, some of those directly in it, so that a folder of thousands of
// files costs no more than one of a few.
std::vector<fs::path> files_to_look_into(const fs::path& input) {
  constexpr std::size_t kMost = 64;
  error_code problem;
  if (!fs::is_directory(input, problem)) return {input};
  std::vector<fs::path> files;
  for (fs::directory_iterator item(input, problem), end;
       !problem && item != end && files.size() < kMost; item.increment(problem)) {
    files.push_back(item->path());
  }
  return files;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  error_code problem;
  for (fs::directory_iterator item(folder, problem), end; !problem && item != end;
       item.increment(problem)) {
    names.push_back(item->path().filename().string());
  }
  return names;
}

// All that the manifest asks for holds.
bool fits(const Manifest& manifest, const fs::path& input, const Properties& properties) {
  const bool properties_hold =
      std::all_of(manifest.properties.begin(), manifest.properties.end(), [&](const auto& fact) {
        const auto found = properties.find(fact.first);
        return found != properties.end() && found->second == fact.second;
      });
  if (!properties_hold) return false;
  if (!manifest.contains.empty()) {
    const auto names = names_in(input);
    for (const auto& pattern : manifest.contains) {
      if (!any_fits(names, pattern)) return false;
    }
  }
  if (!manifest.matches.empty()) {
    const auto names = names_at(input);
    if (std::none_of(manifest.matches.begin(), manifest.matches.end(),
                     [&](const std::string& pattern) { return any_fits(names, pattern); })) {
      return false;
    }
  }
  if (manifest.begins_with.empty()) return true;
  const auto files = files_to_look_into(input);
  return std::any_of(files.begin(), files.end(),
                     [&](const fs::path& file) { return begins_with(file, manifest.begins_with); });
}

}  // namespace

std::vector<const Manifest*> recognise(const Registry& registry, const fs::path& input,
                                       const Properties& properties) {
  std::vector<const Manifest*> found;
  for (const Manifest* manifest : registry.with_role(Role::kRecognise)) {
    if (fits(*manifest, input, properties)) found.push_back(manifest);
  }
  return found;
}

std::string recognised_text(const std::vector<const Manifest*>& found, const fs::path& input) {
  std::string text;
  for (const Manifest* manifest : found) {
    text += fmt::format("{}{} is {}", text.empty() ? "" : "\n", input.string(), manifest->text);
  }
  return text;
}

}  // namespace ckptbridge
