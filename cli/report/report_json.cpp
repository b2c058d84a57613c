#include <fmt/format.h>

#include "cli/report/comparison.h"
#include "cli/report/report.h"
#include "cli/report/report_tensors.h"
#include "cli/report/summary.h"
#include "cli/report/tensor_plan.h"
#include "cli/version.h"
#include "core/compare/tensor_digests.h"
#include "core/text/json.h"

namespace ckptbridge::cli {
namespace {

Json chain_json(const Conversion& run) {
  Json steps = Json::array();
  for (const Step& step : run.chain.steps) {
    steps.push_back({{"plugin", step.plugin->id}, {"options", Json::parse(step.options)}});
  }
  return steps;
}

Json files_json(const std::vector<OutputFile>& files) {
  Json result = Json::array();
  for (const auto& file : files) result.push_back({{"path", file.path}, {"size", file.size}});
  return result;
}

Json dropped_json(const Losses& losses) {
  Json result = Json::array();
  for (const auto& [reason, values, bytes] : losses.dropped) {
    result.push_back({{"reason", reason}, {"values", values}, {"bytes", bytes}});
  }
  for (const auto& [reason, names] : losses.dropped_objects) {
    result.push_back({{"reason", reason}, {"objects", names}});
  }
  return result;
}

Json rounded_json(const Losses& losses) {
  Json result = Json::array();
  for (const auto& [from, to, tensors] : losses.roundings) {
    result.push_back({{"from", dtype_name(from)}, {"to", dtype_name(to)}, {"tensors", tensors}});
  }
  return result;
}

Json result_json(const Report& report) {
  const Conversion& run = report.conversion;
  Json json = {
      {"done", report.done},
      {"already_complete", report.outcome.was_complete},
      {"input", run.request.input.string()},
      {"output", run.request.output.string()},
      {"chain", chain_json(run)},
      {"command", run_line(run.chain.text)},
      {"read",
       {{"files", run.source.arena->sources.count()},
        {"declared", run.coverage.declared},
        {"used", run.coverage.used},
        {"checked", run.coverage.checked}}},
      {"written", {{"files", files_json(run.layout.files())}, {"bytes", run.layout.total_size()}}},
      {"tasks", run.plan.task_count()},
      {"buffers", run.plan.buffers.total_size()},
      {"expectations", run.source.arena->expectations.size()},
      {"rounded", rounded_json(report.losses)},
      {"left_out", dropped_json(report.losses)},
      {"not_read", report.losses.unread},
      {"foreign_plugins", foreign_plugins(run)},
      {"notes", run.source.arena->notes},
      {"warnings", report.outcome.warnings},
      {"seconds", report.seconds},
      {"peak_memory", peak_memory()}};
  if (report.verified) json["verified"] = comparison_json(*report.verified);
  if (report.trace) json["tensor_plan"] = tensor_plan_json(run, *report.trace);
  return json;
}

std::string text_of(const Json& json, int indent) { return json.dump(indent) + "\n"; }

// The plugins of the chain: what ran, down to the bytes of the libraries.
Json plugins_json(const Conversion& run) {
  Json result = Json::array();
  for (const Step& step : run.chain.steps) {
    const Manifest& manifest = *step.plugin;
    result.push_back({{"id", manifest.id},
                      {"version", manifest.version},
                      {"library", manifest.library_path().string()},
                      {"library_digest", digest_of_file(manifest.library_path())}});
  }
  return result;
}

Json inputs_json(const InputFiles& sources) {
  Json result = Json::array();
  for (std::uint32_t id = 1; id <= sources.count(); ++id) {
    Json file = {{"file", sources.name(id)}, {"size", sources.size(id)}};
    if (sources.pieces(id).size() > 1) file["pieces"] = sources.pieces(id);
    result.push_back(file);
  }
  return result;
}

}  // namespace

std::string report_json(const Report& report) { return text_of(result_json(report), 2); }

std::string full_report_json(const Report& report) {
  const Conversion& run = report.conversion;
  // The mark comes first: ResultFile knows its files by it.
  Json json = {{"ckptbridge_report", 1},
               {"version", kVersion},
               {"plugin_abi", fmt::format("{}.{}", CKB_ABI_MAJOR, CKB_ABI_MINOR)}};
  json.update(result_json(report));
  json["plugins"] = plugins_json(run);
  json["inputs"] = inputs_json(run.source.arena->sources);
  json["tensors"] = tensors_json(report);
  return text_of(json, 1);
}

}  // namespace ckptbridge::cli
