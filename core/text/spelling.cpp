#include "core/text/spelling.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace ckptbridge {

std::string lower_case(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::size_t edit_distance(std::string_view typed, std::string_view name, bool is_pattern) {
  const auto is = [&](std::size_t i, char wildcard) { return is_pattern && typed[i] == wildcard; };
  std::vector<std::size_t> before;  // two rows above
  std::vector<std::size_t> above(name.size() + 1);
  for (std::size_t j = 0; j <= name.size(); ++j) above[j] = j;
  for (std::size_t i = 0; i < typed.size(); ++i) {
    std::vector<std::size_t> row(name.size() + 1);
    row[0] = above[0] + (is(i, '*') ? 0 : 1);
    for (std::size_t j = 1; j <= name.size(); ++j) {
      if (is(i, '*')) {
        row[j] = std::min(above[j], row[j - 1]);
        continue;
      }
      const bool is_same = is(i, '?') || typed[i] == name[j - 1];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (is_same ? 0 : 1)});
      if (i > 0 && j > 1 && typed[i] == name[j - 2] && typed[i - 1] == name[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(above, std::move(row));
  }
  return above[name.size()];
}

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

}  // namespace ckptbridge
