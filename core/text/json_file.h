// JSON files that a plugin or a person brings.
#pragma once

#include <filesystem>

#include "core/text/json.h"

namespace ckptbridge {

// Throws NOT_FOUND or IO for a file that cannot be read, and CORRUPT for one of more than 1 MiB and
// for whatever Json::parse() throws it for. Each names the file.
Json read_json(const std::filesystem::path& file, const JsonRules& rules = {});

}  // namespace ckptbridge
