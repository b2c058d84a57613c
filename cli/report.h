// What a conversion did, or would do, as text and as JSON.
#pragma once

#include <string>

#include "core/conversion.h"
#include "core/ledger.h"

namespace ckptbridge::cli {

struct Report {
  const Conversion& conversion;  // prepared at least
  Ledger ledger;
  bool done = false;         // or only planned
  bool whole_lists = false;  // or the first few of each
  double seconds = 0;
};

std::string report_text(const Report& report);
std::string report_json(const Report& report);

// Plugins of the chain that did not come with the program: "acme.x (/home/me/…/acme.x.json)".
std::vector<std::string> foreign_plugins(const Conversion& conversion);

}  // namespace ckptbridge::cli
