// What a conversion did, or would do, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/compare/compare_checkpoints.h"
#include "core/compare/digest_list.h"
#include "core/graph/trace.h"
#include "core/pipeline.h"
#include "core/plan/losses.h"

namespace ckptbridge::cli {

struct Report {
  Conversion conversion;
  Losses losses;
  Outcome outcome = {};      // of a conversion that is done
  bool done = false;         // or only planned
  bool whole_lists = false;  // or the first few of each
  bool verbose = false;      // and of output files, too
  double seconds = 0;
  std::optional<DigestList> digests = {};   // of what was written
  std::optional<Comparison> verified = {};  // what was read back
  std::optional<Trace> trace = {};          // of the tensors that were asked for
};

std::string report_text(const Report& report);
std::string report_json(const Report& report);
// The same, with all that --report tells more: versions, plugins, and each tensor. README.md beside
// this file has its schema.
std::string full_report_json(const Report& report);

// What is read, checked, held and written, in words: "reads", "8 files, which hold …".
std::vector<std::pair<std::string, std::string>> plan_facts(const Conversion& planned);

// "32.0 KiB in 4 values"; "4 values" where all their bytes were compared with what is written, or
// are counted under another reason.
std::string left_out_text(const DroppedBytes& dropped);

// Plugins of the chain that did not come with the program: "acme.x (/home/me/…/acme.x.json)".
std::vector<std::string> foreign_plugins(const Conversion& conversion);

}  // namespace ckptbridge::cli
