#include "tests/cli/errors/sources.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge::errors {
namespace {

namespace fs = boost::filesystem;

constexpr std::size_t kShortest = 8;  // less says nothing

// What a call makes an Error of: Error itself, and the functions of this file that return one.
std::set<std::string> makers_in(const std::string& source) {
  std::set<std::string> makers{"Error", "file_error", "refuse"};
  const std::regex pattern(R"((?:\[\[noreturn\]\] \w+|\nError) (\w+)\()");
  for (std::sregex_iterator at(source.begin(), source.end(), pattern), end; at != end; ++at) {
    makers.insert((*at)[1]);
  }
  return makers;
}

// The string literals of the call whose parenthesis opens at begin, each with what follows it at
// once joined to it; not those in braces, which say what the error is about.
std::vector<std::string> literals(const std::string& source, std::size_t begin) {
  std::vector<std::string> result;
  int depth = 0;
  int braces = 0;
  bool follows = false;  // only blanks since the last literal
  for (std::size_t i = begin; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '"' && source[i - 1] != '\'') {
      std::string text;
      const bool raw = source[i - 1] == 'R';
      const std::size_t end = raw ? source.find(")\"", i) : 0;
      for (++i; raw ? i < end : source[i] != '"'; ++i) {
        if (!raw && source[i] == '\\') ++i;
        text += source[i];
      }
      if (raw) ++i;
      if (braces == 0) {
        if (follows && !result.empty()) {
          result.back() += text;
        } else {
          result.push_back(text);
        }
      }
      follows = true;
      continue;
    }
    if (std::isspace(static_cast<unsigned char>(c)) == 0) follows = false;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    braces += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (depth == 0) break;
  }
  return result;
}

// The longest part between two places of fmt::format.
std::string longest_part(const std::vector<std::string>& texts) {
  std::string best;
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      const bool is_end = i == text.size();
      if (!is_end && text[i] != '{') continue;
      std::string part = text.substr(begin, i - begin);
      if (part.size() > best.size()) best = part;
      if (is_end) break;
      if (i + 1 < text.size() && text[i + 1] == '{') {
        ++i;  // {{ is told as {
      } else {
        for (int depth = 1; depth > 0 && i + 1 < text.size();) {  // a width may be a place, too
          ++i;
          depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
        }
      }
      begin = i + 1;
    }
  }
  return best;
}

void add_messages(const std::string& source, const std::string& name,
                  std::vector<SourceMessage>& messages) {
  std::string makers;
  for (const std::string& maker : makers_in(source)) makers += (makers.empty() ? "" : "|") + maker;
  const std::regex call(fmt::format(R"((^|[^\w:~])(ckptbridge::)?({})\()", makers));
  for (std::sregex_iterator at(source.begin(), source.end(), call), end; at != end; ++at) {
    const auto open = static_cast<std::size_t>(at->position() + at->length()) - 1;
    const std::string text = longest_part(literals(source, open));
    if (text.size() < kShortest) continue;
    const auto line = std::count(source.begin(), source.begin() + at->position(), '\n') + 1;
    messages.push_back({fmt::format("{}:{}", name, line), text});
  }
}

}  // namespace

std::vector<SourceMessage> messages_in(const fs::path& folder,
                                       const std::vector<std::string>& below) {
  std::vector<fs::path> files;
  for (const std::string& part : below) {
    for (const auto& entry : fs::recursive_directory_iterator(folder / part)) {
      const std::string kind = entry.path().extension().string();
      if (kind == ".cpp" || kind == ".h") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<SourceMessage> messages;
  for (const fs::path& file : files) {
    const std::string name = file.lexically_relative(folder).string();
    if (name.starts_with("cli/plugin_check/")) continue;  // another program
    add_messages(TempFolder::text_of(file), name, messages);
  }
  return messages;
}

}  // namespace ckptbridge::errors
