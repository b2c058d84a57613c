#include "core/compare/expectations.h"

#include <utility>

namespace ckptbridge {

std::vector<UnequalPair> find_unequal(const Arena& arena, const Buffers& buffers,
                                      const Feedback& feedback,
                                      const std::optional<std::vector<std::uint64_t>>& suspects) {
  std::vector<std::size_t> numbers;
  std::vector<ValuePair> pairs;
  const auto add = [&](std::size_t number) {
    numbers.push_back(number);
    pairs.push_back({arena.expectations[number].kept, arena.expectations[number].other});
  };
  if (suspects) {
    for (const std::uint64_t number : *suspects) {
      if (number < arena.expectations.size()) add(number);
    }
  } else {
    for (std::size_t number = 0; number < arena.expectations.size(); ++number) add(number);
  }
  auto differences =
      compare_values(arena, arena, pairs, buffers, "check", feedback,
                     [&](std::size_t i) { return arena.expectations[numbers[i]].what; });
  std::vector<UnequalPair> unequal;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (differences[i].count > 0) unequal.push_back({numbers[i], std::move(differences[i])});
  }
  return unequal;
}

std::vector<std::uint64_t> numbers_of(const std::vector<UnequalPair>& pairs) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(pairs.size());
  for (const UnequalPair& pair : pairs) numbers.push_back(pair.expectation);
  return numbers;
}

}  // namespace ckptbridge
