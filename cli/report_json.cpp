#include <nlohmann/json.hpp>

#include "cli/report.h"

namespace ckptbridge::cli {
namespace {

using nlohmann::ordered_json;

ordered_json chain_json(const Conversion& run) {
  ordered_json steps = ordered_json::array();
  for (std::size_t i = 0; i < run.chain.steps.size(); ++i) {
    steps.push_back({{"plugin", run.chain.steps[i].plugin},
                     {"options", ordered_json::parse(options_of(run, i))}});
  }
  return steps;
}

ordered_json files_json(const std::vector<OutputFile>& files) {
  ordered_json result = ordered_json::array();
  for (const auto& file : files) result.push_back({{"path", file.path}, {"size", file.size}});
  return result;
}

ordered_json dropped_json(const Ledger& ledger) {
  ordered_json result = ordered_json::array();
  for (const auto& [reason, values, bytes] : ledger.dropped) {
    result.push_back({{"reason", reason}, {"values", values}, {"bytes", bytes}});
  }
  for (const auto& [reason, names] : ledger.dropped_objects) {
    result.push_back({{"reason", reason}, {"objects", names}});
  }
  return result;
}

ordered_json rounded_json(const Ledger& ledger) {
  ordered_json result = ordered_json::array();
  for (const auto& [from, to, tensors] : ledger.roundings) {
    result.push_back({{"from", dtype_name(from)}, {"to", dtype_name(to)}, {"tensors", tensors}});
  }
  return result;
}

}  // namespace

std::string report_json(const Report& report) {
  const Conversion& run = report.conversion;
  const ordered_json json = {
      {"done", report.done},
      {"already_complete", run.is_complete},
      {"input", run.request.input.string()},
      {"output", run.request.output.string()},
      {"chain", chain_json(run)},
      {"command", run_line(run.chain)},
      {"read",
       {{"files", run.arena.sources.count()},
        {"declared", run.coverage.declared},
        {"used", run.coverage.used},
        {"checked", run.coverage.checked}}},
      {"written", {{"files", files_json(run.layout.files())}, {"bytes", run.layout.total_size()}}},
      {"expectations", run.arena.expectations.size()},
      {"rounded", rounded_json(report.ledger)},
      {"left_out", dropped_json(report.ledger)},
      {"not_read", report.ledger.unread},
      {"foreign_plugins", foreign_plugins(run)},
      {"notes", run.arena.notes},
      {"warnings", run.warnings},
      {"seconds", report.seconds}};
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ckptbridge::cli
