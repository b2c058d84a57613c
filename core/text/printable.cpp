#include "core/text/printable.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// How many characters to insert, remove, replace or swap with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string lower_case(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 100;  // the table below is quadratic
  if (word.size() > kLongestWord) return "";
  const std::string typed = lower_case(hyphenated(word));
  std::string best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::string known = lower_case(hyphenated(candidate));
    std::size_t distance = edit_distance(typed, known);
    // The beginning of a long name is as good as a slip in it.
    if (typed.size() >= 3 && known.starts_with(typed))
      distance = std::min<std::size_t>(distance, 1);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  const std::size_t limit = std::max<std::size_t>(1, typed.size() / 3);
  if (best.empty() || best == word || best_distance > limit || best_distance >= typed.size()) {
    return "";
  }
  return fmt::format("did you mean \"{}\"?", best);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string hint = suggestion(word, candidates);
  return hint.empty() ? "" : "; " + hint;
}

std::string hyphenated(std::string_view word) {
  std::string result(word);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = kNone;  // the last * seen in the pattern,
  std::size_t star_end = 0;  // and where in name what it stands for ends
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
    } else if (p < pattern.size() &&
               (pattern[p] == name[n] || (pattern[p] == '?' && name[n] != '/'))) {
      ++p;
      ++n;
    } else if (star != kNone && name[star_end] != '/') {
      p = star + 1;
      n = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::uint64_t parse_size(std::string_view text, std::string_view what) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Unit, 15> kUnits = {{{"", 1},
                                                   {"b", 1},
                                                   {"k", 1ull << 10},
                                                   {"kib", 1ull << 10},
                                                   {"kb", 1000},
                                                   {"m", 1ull << 20},
                                                   {"mib", 1ull << 20},
                                                   {"mb", 1000'000},
                                                   {"g", 1ull << 30},
                                                   {"gib", 1ull << 30},
                                                   {"gb", 1000'000'000},
                                                   {"t", 1ull << 40},
                                                   {"tib", 1ull << 40},
                                                   {"tb", 1000'000'000'000},
                                                   {"bytes", 1}}};
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem == std::errc()) {
    std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit.starts_with(' ')) unit.remove_prefix(1);
    const std::string lower = lower_case(unit);
    for (const Unit& known : kUnits) {
      if (known.name != lower) continue;
      if (number > std::numeric_limits<std::uint64_t>::max() / known.bytes) break;
      return number * known.bytes;
    }
  }
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: \"{}\" is not a size", what, text),
              {.hint = "write bytes, or a number and a unit such as 128MiB or 2GB"});
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB",
                                                             "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count_text(count), one, count == 1 ? "" : "s");
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

std::string printable(std::string_view text, bool lines) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_size(text.substr(i));
    const auto lead = static_cast<unsigned char>(text[i]);
    // C1 controls (U+0080 to U+009F) end in the bytes 80 to 9F behind C2.
    const bool is_control =
        size == 1 ? lead < 0x20 || lead == 0x7F
                  : size == 2 && lead == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    const std::string_view character = text.substr(i, std::max<std::size_t>(size, 1));
    if ((size > 0 && !is_control) || (lines && lead == '\n')) {
      result += character;
    } else {
      for (const char c : character) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    i += character.size();
  }
  return result;
}

std::size_t utf8_size(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80             ? 1
                           : (byte(0) & 0xE0) == 0xC0 ? 2
                           : (byte(0) & 0xF0) == 0xE0 ? 3
                           : (byte(0) & 0xF8) == 0xF0 ? 4
                                                      : 0;
  if (size == 0 || size > text.size() || byte(0) == 0xC0 || byte(0) == 0xC1 || byte(0) > 0xF4) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string list_text(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace ckptbridge
