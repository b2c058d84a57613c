// What Savanna saves beside a checkpoint, configs/NAME.yml, is the user's own YAML, of which these
// lines count:
//   key: value          at the left margin; or, in a file that opens with '{', inside that brace
//   "key": value,       the same in JSON's spelling; '#' opens a comment
// Source: savanna's configs/, and the saved configurations of GPT-NeoX, from which it comes.
#include "plugins/evo2/config_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ckptbridge::evo2 {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_quote(char c) { return c == '"' || c == '\''; }

// The text up to a comment, and how much deeper in brackets its end is than its beginning.
std::pair<std::string_view, int> scan(std::string_view line) {
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (is_quote(c) && (i == 0 || !std::isalnum(static_cast<unsigned char>(line[i - 1])))) {
      quote = c;
    } else if (c == '#' && (i == 0 || kBlanks.find(line[i - 1]) != std::string_view::npos)) {
      return {line.substr(0, i), depth};
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return {line, depth};
}

std::optional<Value> scalar(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (is_quote(text[0])) {
    if (text.size() < 2 || text.back() != text[0]) return std::nullopt;
    return Value(std::string(text.substr(1, text.size() - 2)));
  }
  if (text == "null" || text == "~" || text == "None") return Value();
  if (text == "true" || text == "True") return Value(true);
  if (text == "false" || text == "False") return Value(false);
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [at, code] = std::from_chars(text.data(), end, integer);
      at == end && code == std::errc()) {
    return Value(integer);
  }
  double number = 0;
  if (const auto [at, code] = std::from_chars(text.data(), end, number);
      at == end && code == std::errc()) {
    return Value(number);
  }
  if (std::string_view("[{|>&*!").find(text[0]) != std::string_view::npos) return std::nullopt;
  return Value(std::string(text));
}

std::optional<std::pair<std::string, Value>> setting(std::string_view line) {
  const std::size_t colon =
      !line.empty() && is_quote(line[0]) ? line.find(':', line.find(line[0], 1)) : line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view key = trimmed(line.substr(0, colon));
  if (key.size() >= 2 && is_quote(key[0]) && key.back() == key[0]) {
    key = key.substr(1, key.size() - 2);
  }
  std::string_view text = trimmed(line.substr(colon + 1));
  while (!text.empty() && (text.back() == ',' || text.back() == '}')) {
    text = trimmed(text.substr(0, text.size() - 1));
  }
  const std::optional<Value> value = scalar(text);
  if (key.empty() || !value) return std::nullopt;
  std::string name(key);
  std::replace(name.begin(), name.end(), '-', '_');
  return std::pair(std::move(name), *value);
}

void put(Settings& settings, std::pair<std::string, Value> entry) {
  const auto known = std::find_if(settings.begin(), settings.end(),
                                  [&](const auto& other) { return other.first == entry.first; });
  if (known == settings.end()) {
    settings.push_back(std::move(entry));
  } else {
    known->second = std::move(entry.second);
  }
}

// Ends a line at each top-level comma of a file in one braced line, so that both kinds read alike.
std::string with_line_breaks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  int depth = 0;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote || c == '\n') quote = '\0';
    } else if (is_quote(c)) {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    out += c;
    if (quote == '\0' && ((c == ',' && depth == 1) || (c == '{' && depth == 1))) out += '\n';
  }
  return out;
}

}  // namespace

Settings read_settings(std::string_view text) {
  Settings settings;
  // Comments may stand before the brace.
  std::size_t first = 0;
  while (first < text.size() && (text[first] == '#' || text[first] == '\n' ||
                                 kBlanks.find(text[first]) != std::string_view::npos)) {
    first = text[first] == '#' ? std::min(text.find('\n', first), text.size()) : first + 1;
  }
  const bool braced = first < text.size() && text[first] == '{';
  const std::string broken = braced ? with_line_breaks(text.substr(first)) : std::string();
  if (braced) text = broken;

  const int level = braced ? 1 : 0;
  int depth = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto [line, deeper] = scan(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool margin = !line.empty() && kBlanks.find(line[0]) == std::string_view::npos;
    if (depth == level && (braced || margin)) {
      if (auto entry = setting(trimmed(line))) put(settings, std::move(*entry));
    }
    depth += deeper;
  }
  return settings;
}

Settings read_settings_below(std::string_view key, std::string_view text) {
  std::string block;
  bool inside = false;
  std::size_t indent = 0;  // of the first line inside
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t margin = line.find_first_not_of(' ');
    if (margin == std::string_view::npos) continue;
    if (margin == 0) {
      inside = trimmed(line) == std::string(key) + ":";
    } else if (inside) {
      if (indent == 0) indent = margin;
      // What is deeper keeps a margin, and so does not count.
      if (margin >= indent) block += std::string(line.substr(indent)) + '\n';
    }
  }
  return read_settings(block);
}

}  // namespace ckptbridge::evo2
