// Sizes and counts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ckptbridge {

// "128MiB", "2 GB", "4096" in bytes. Throws INVALID_ARGUMENT, which names what, for anything else.
std::uint64_t parse_size(std::string_view text, std::string_view what);

// "1.5 GiB"
std::string size_text(std::uint64_t bytes);

// "4,194,304"
std::string count_text(std::uint64_t count);

// "1 file", "4,096 files"
std::string counted(std::uint64_t count, std::string_view one);

}  // namespace ckptbridge
