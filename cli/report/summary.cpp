#include "cli/report/summary.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// "34 tensors of bfloat16, 2 of float32", the most frequent first.
std::string dtypes_text(const Graph& graph) {
  std::map<std::string, std::uint64_t> counts;
  for (const Tensor& tensor : graph.tensors()) {
    ++counts[dtype_name(graph.arena().nodes.dtype(tensor.value))];
  }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [dtype, count] : sorted) {
    text += text.empty() ? counted(count, "tensor") : ", " + count_text(count);
    text += " of " + dtype;
  }
  return text;
}

// The line that verifies the output; "" for a chain that was typed, to which verify has no options.
std::string verify_line(const Request& request) {
  if (!request.steps.empty()) return "";
  std::string line =
      fmt::format("ckptbridge verify {} --against {}", shell_quoted(request.output.string()),
                  shell_quoted(request.input.string()));
  if (!request.from.empty()) line += " --from " + shell_quoted(request.from);
  for (const auto& [name, value] : request.options) {
    line += fmt::format(" --{}{}", name, value ? " " + shell_quoted(*value) : "");
  }
  return line;
}

}  // namespace

std::uint64_t peak_memory() {
  // Not getrusage(): what the process that started this one had counts there.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kPeak = "VmHWM:";
    if (line.starts_with(kPeak)) return std::stoull(line.substr(kPeak.size())) << 10;
  }
  return 0;
}

std::string summary_text(const Report& report) {
  const Conversion& run = report.conversion;
  const std::uint64_t size = run.layout.total_size();
  const double seconds = std::max(report.seconds, 1e-3);
  const std::size_t files = run.layout.files().size();
  std::string text = fmt::format(
      "wrote {}: {}, {}, in {:.1f} s ({}/s, {} of memory at the most)\n",
      run.request.output.string(), counted(files, "file"), size_text(size), report.seconds,
      size_text(static_cast<std::uint64_t>(static_cast<double>(size) / seconds)),
      size_text(peak_memory()));
  if (const std::string dtypes = dtypes_text(run.target); !dtypes.empty()) {
    text += fmt::format("holds {}\n", dtypes);
  }
  return text;
}

std::string next_text(const Report& report) {
  const std::string next = verify_line(report.conversion.request);
  return report.verified || next.empty() ? "" : fmt::format("next: {}\n", next);
}

}  // namespace ckptbridge::cli
