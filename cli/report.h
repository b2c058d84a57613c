// What a conversion did, or would do, as text and as JSON.
#pragma once

#include <optional>
#include <string>

#include "core/comparison.h"
#include "core/conversion.h"
#include "core/digest_list.h"
#include "core/ledger.h"

namespace ckptbridge::cli {

struct Report {
  const Conversion& conversion;  // prepared at least
  Ledger ledger;
  bool done = false;         // or only planned
  bool whole_lists = false;  // or the first few of each
  double seconds = 0;
  std::optional<DigestList> digests = {};   // of what was written
  std::optional<Comparison> verified = {};  // what was read back
};

std::string report_text(const Report& report);
std::string report_json(const Report& report);
// The same, with all that --report tells more: versions, plugins, and each tensor. README.md beside
// this file has its schema.
std::string full_report_json(const Report& report);

// Plugins of the chain that did not come with the program: "acme.x (/home/me/…/acme.x.json)".
std::vector<std::string> foreign_plugins(const Conversion& conversion);

}  // namespace ckptbridge::cli
