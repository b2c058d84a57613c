// Pieces of tensors in files, in words and as JSON.
#pragma once

#include <string>

#include <boost/filesystem/path.hpp>

#include "core/graph/graph.h"
#include "core/graph/lowering.h"
#include "core/text/json.h"

namespace ckptbridge::cli {

// "offset 64, 4,096 bytes"; of a run with loops "offset 64, 12 × 256 bytes, every 1,024 bytes".
std::string source_range_text(const Run& run);
// The same of where its bytes go, counted from `begin`.
std::string target_range_text(const Run& run, std::uint64_t begin);

// The folder below which the files of an input lie, with a slash at its end; "": here.
std::string folder_of(const boost::filesystem::path& input);
// The name of the file, below the folder where it is there, with the number of pieces where it is
// in some; "a constant".
std::string source_file_text(const Arena& arena, const Run& run, const std::string& folder);

// {"file", "offset", "size"}, and for a run with loops "repeats": [{"count", "every"}], outermost
// first; size is that of one repetition. A constant has no file.
Json source_json(const Arena& arena, const Run& run);
// {"offset", "size"}, and the repeats.
Json target_json(const Run& run, std::uint64_t begin);

}  // namespace ckptbridge::cli
