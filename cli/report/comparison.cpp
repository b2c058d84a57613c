#include "cli/report/comparison.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/terminal/exit_code.h"
#include "core/plugin_host/compute_plugin.h"
#include "core/text/json.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

Json form_json(const Form& form) {
  return {{"dtype", dtype_name(form.dtype)}, {"shape", form.shape}};
}

Json difference_json(const TensorDifference& difference) {
  Json json = {{"kind", difference_name(difference.kind)}, {"name", difference.name}};
  if (!difference.role.empty()) json["role"] = difference.role;
  if (difference.mp_world_size > 1) {
    json["mp_rank"] = difference.mp_rank;
    json["mp_world_size"] = difference.mp_world_size;
  }
  if (difference.expected) json["expected"] = form_json(*difference.expected);
  if (difference.found) json["found"] = form_json(*difference.found);
  if (difference.count > 0) json["elements"] = difference.count;
  if (const auto& numbers = difference.numbers) {
    json["beyond_tolerance"] = numbers->beyond;
    json["max_difference"] = numbers->max_difference;
    json["max_relative_difference"] = numbers->max_relative;
    json["mean_difference"] = mean_difference(*numbers);
  }
  json["text"] = difference.text;
  return json;
}

// "; 3 of these differ within the tolerance, most norm.weight: …"; "" for none.
std::string within_tolerance_text(const std::vector<TensorDifference>& differences) {
  if (differences.empty()) return "";
  const auto most = std::max_element(differences.begin(), differences.end(),
                                     [](const TensorDifference& a, const TensorDifference& b) {
                                       return a.numbers->max_difference < b.numbers->max_difference;
                                     });
  return fmt::format("; {} of these {} within the tolerance, most {}",
                     count_text(differences.size()), differences.size() == 1 ? "differs" : "differ",
                     line_of(*most));
}

}  // namespace

std::string comparison_text(const Comparison& comparison, bool verbose) {
  std::string text;
  for (const TensorDifference& difference : comparison.differences) {
    text += "different: " + line_of(difference) + "\n";
  }
  if (verbose) {
    for (const TensorDifference& difference : comparison.within_tolerance) {
      text += "within the tolerance: " + line_of(difference) + "\n";
    }
    for (const std::string& object : comparison.not_compared) {
      text += "not compared: " + object + "\n";
    }
  }
  std::string what =
      fmt::format("{} with {}", counted(comparison.tensors, "tensor"), size_text(comparison.bytes));
  if (comparison.objects > 0) what += ", " + counted(comparison.objects, "object");
  if (!verbose && !comparison.not_compared.empty()) {
    what += fmt::format("; {} not compared", counted(comparison.not_compared.size(), "object"));
  }
  what += within_tolerance_text(comparison.within_tolerance);
  return text + (comparison.differences.empty()
                     ? fmt::format("equal: {}\n", what)
                     : fmt::format("{} found; compared: {}\n",
                                   counted(comparison.differences.size(), "difference"), what));
}

Json comparison_json(const Comparison& comparison) {
  Json differences = Json::array();
  for (const TensorDifference& difference : comparison.differences) {
    differences.push_back(difference_json(difference));
  }
  Json json = {{"equal", comparison.differences.empty()},
               {"tensors", comparison.tensors},
               {"bytes", comparison.bytes},
               {"objects", comparison.objects},
               {"differences", differences},
               {"not_compared", comparison.not_compared}};
  for (const TensorDifference& difference : comparison.within_tolerance) {
    json["within_tolerance"].push_back(difference_json(difference));
  }
  return json;
}

int exit_code(const Comparison& comparison) {
  return comparison.differences.empty() ? 0 : kDifferencesFound;
}

}  // namespace ckptbridge::cli
