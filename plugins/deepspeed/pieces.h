// Files that were cut into pieces because a hub or a file system bounds their size, and that are
// read as one without being joined on disk.
//
//   model.pt.part0 … model.pt.part10       by number, whatever the order of their names
//   model.pt.part00, model.pt-part-0, …    "part" and a number behind one of . - _
// Numbers start at 0; at 1 when the piece of that number begins as a .pt does.
// Source: large models on Hugging Face are published so; split(1) makes such names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ckptbridge::deepspeed {

struct PieceName {
  std::string stem;    // "model.pt"
  std::string prefix;  // "model.pt.part"
  std::size_t digits;
  std::uint64_t number;
};

// nullopt unless file_name is that of a piece of a .pt.
std::optional<PieceName> piece_name_of(const std::string& file_name);

// What a folder holds of one .pt.
struct FileParts {
  bool is_whole = false;                        // the file itself
  std::map<std::uint64_t, std::string> pieces;  // names, by number
};

// The .pt files directly in a folder and their pieces, by stem; links are followed when they are
// read. Throws CORRUPT when two pieces have one number.
std::map<std::string, FileParts> files_in(const std::string& folder);

// A file to read as one.
struct LogicalFile {
  std::string name;                 // without ".part…"
  std::vector<std::string> pieces;  // in their order; the name itself when it is whole
};

// Returns the pieces of a file in their order. Throws NOT_FOUND, naming the piece, where the first
// or a middle one is missing. Whether the last one is there, only the content can tell.
LogicalFile in_order(const std::string& folder, const std::string& stem, const FileParts& parts);

}  // namespace ckptbridge::deepspeed
