#include "core/text/name_patterns.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/printable.h"
#include "core/text/quantities.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

// Near names are sought among so many, and none is longer: a table is made for each.
constexpr std::size_t kMostNames = 10'000;
constexpr std::size_t kLongest = 200;
constexpr std::size_t kFew = 3;

// The * of patterns for files keeps slashes apart; in names of tensors they are letters.
bool fits(std::string_view pattern, std::string_view name) {
  const auto without_slashes = [](std::string_view text) {
    std::string result(text);
    std::replace(result.begin(), result.end(), '/', '\x01');
    return result;
  };
  return glob_matches(without_slashes(pattern), without_slashes(name));
}

std::vector<std::string_view> distinct(const std::vector<std::string_view>& names) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string_view> result;
  for (const std::string_view name : names) {
    if (result.size() == kMostNames) break;
    if (name.size() <= kLongest && seen.insert(name).second) result.push_back(name);
  }
  return result;
}

// The nearest names, where they are a few slips away or contain what was typed.
std::vector<std::string> near_names(const std::string& pattern,
                                    const std::vector<std::string_view>& names) {
  if (pattern.size() > kLongest) return {};
  const auto literals = static_cast<std::size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
  const std::size_t limit = std::max<std::size_t>(1, literals / 3);
  std::vector<std::tuple<std::size_t, std::size_t, std::string_view>> found;  // distance, place
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t whole = edit_distance(pattern, names[i], true);
    const std::size_t part = edit_distance("*" + pattern + "*", names[i], true) + 1;
    if (std::min(whole, part) <= limit) found.emplace_back(std::min(whole, part), i, names[i]);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> result;
  for (const auto& [far, place, name] : found) {
    if (result.size() < kFew) result.emplace_back(name);
  }
  return result;
}

[[noreturn]] void refuse(const std::string& pattern, const std::vector<std::string_view>& all,
                         const std::string& option) {
  const auto names = distinct(all);
  std::string hint = "; there is no tensor at all";
  if (const auto near = near_names(pattern, names); !near.empty()) {
    hint = "; near ones are " + list_text(near);
  } else if (!names.empty()) {
    const auto few = static_cast<std::ptrdiff_t>(std::min(kFew, names.size()));
    hint = fmt::format("; the first of {} names are {}", count_text(names.size()),
                       list_text({names.begin(), names.begin() + few}));
  }
  throw Error(CKB_INVALID_ARGUMENT,
              fmt::format("{}: no tensor has the name {}{}", option, pattern, hint));
}

}  // namespace

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

std::vector<std::size_t> chosen_names(const std::vector<std::string_view>& names,
                                      const std::vector<std::string>& patterns,
                                      const std::string& option) {
  std::vector<bool> chosen(names.size(), patterns.empty());
  for (const std::string& pattern : patterns) {
    bool fits_any = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!fits(pattern, names[i])) continue;
      chosen[i] = true;
      fits_any = true;
    }
    if (!fits_any) refuse(pattern, names, option);
  }
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (chosen[i]) result.push_back(i);
  }
  return result;
}

}  // namespace ckptbridge
