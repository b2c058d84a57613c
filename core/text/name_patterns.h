// Names that fit patterns: files, and tensors that a user asks for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

// Whether the whole of name fits a pattern in which * stands for any characters, / excepted, and ?
// for one. Costs at most the product of both sizes.
bool glob_matches(std::string_view pattern, std::string_view name);

// Numbers of the names that fit one of the patterns, in the order of the names; all of them where
// there is no pattern. In a pattern, * stands for any characters and ? for one. Throws
// INVALID_ARGUMENT for a pattern that no name fits, naming near ones; option ("--tensors") opens
// the message.
std::vector<std::size_t> chosen_names(const std::vector<std::string_view>& names,
                                      const std::vector<std::string>& patterns,
                                      const std::string& option);

}  // namespace ckptbridge
