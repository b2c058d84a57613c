// What --help says, in the forms that other programs read: a manual page, and words for the
// completion of shells. Both are made from the options that a verb declares, so they are never
// behind it.
#pragma once

#include <string>
#include <vector>

namespace ckptbridge::cli {

struct HelpEntry {
  std::vector<std::string> names;  // "--tag", "-t"; of a positional argument its one name
  std::string value_name;          // "" for a flag
  std::string help;
  std::string heading;
  bool is_positional = false;
};

struct HelpPage {
  std::string name;   // "ckptbridge-convert"
  std::string usage;  // "ckptbridge convert IN OUT --to FORMAT"
  std::string summary;
  std::vector<HelpEntry> entries;
};

// In the macros of man(7), section 1.
std::string manual_page(const HelpPage& page);

// A line "NAME <tab> VALUE <tab> HELP" for each name of each option; VALUE is "-" for a flag.
std::string completion_words(const HelpPage& page);

}  // namespace ckptbridge::cli
