// Slips of the finger: what was meant by a word that nobody knows.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

// How many characters to insert, remove, replace or swap with their neighbour until typed is name.
// In a pattern, * stands for any characters and ? for one. Costs the product of both sizes.
std::size_t edit_distance(std::string_view typed, std::string_view name, bool is_pattern = false);

// ASCII letters alone.
std::string lower_case(std::string_view word);

// `did you mean "mp-size"?` for the candidate that is a slip of the finger away from word, or ""
// when none is. What an Error has as its hint.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
// Returns the suggestion behind a semicolon, for the middle of a sentence.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// Underscores become hyphens: the spelling in which verbs, options and ids are compared.
std::string hyphenated(std::string_view word);

}  // namespace ckptbridge
