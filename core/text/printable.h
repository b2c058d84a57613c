// Small tools for the words that people type and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

// `did you mean "mp-size"?` for the candidate that is a slip of the finger away from word, or ""
// when none is. What an Error has as its hint.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
// The same behind a semicolon, for the middle of a sentence.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// Underscores become hyphens: the spelling in which verbs, options and ids are compared.
std::string hyphenated(std::string_view word);

// Whether the whole of name fits a pattern in which * stands for any characters, / excepted, and ?
// for one. Costs at most the product of both sizes.
bool glob_matches(std::string_view pattern, std::string_view name);

// "128MiB", "2 GB", "4096" in bytes. Throws INVALID_ARGUMENT, which names what, for anything else.
std::uint64_t parse_size(std::string_view text, std::string_view what);

// "1.5 GiB"
std::string size_text(std::uint64_t bytes);

// "4,194,304"
std::string count_text(std::uint64_t count);

// "1 file", "4,096 files"
std::string counted(std::uint64_t count, std::string_view one);

// Bytes of the character of UTF-8 that text begins with; 0 if it begins with none.
std::size_t utf8_size(std::string_view text);

// Text of unknown origin for a terminal or a log: what is no printable UTF-8 (control characters,
// escape sequences, stray bytes) as \xNN. Line feeds stay where lines is true.
std::string printable(std::string_view text, bool lines = false);

// A word as a shell takes it: in quotes where it needs them.
std::string shell_quoted(const std::string& word);

// "a, b, c"
std::string list_text(const std::vector<std::string>& words);

}  // namespace ckptbridge
