#include "cli/pieces.h"

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/words.h"

namespace ckptbridge::cli {
namespace {

using nlohmann::ordered_json;
using Step = std::uint64_t Loop::*;

std::string range_text(const Run& run, std::uint64_t offset, std::uint64_t size, Step step) {
  std::string counts;
  std::string steps;
  for (const Loop& loop : run.loops) {
    counts += count_text(loop.count) + " × ";
    steps += (steps.empty() ? ", every " : " and ") + count_text(loop.*step);
  }
  if (!steps.empty()) steps += " bytes";
  return fmt::format("offset {}, {}{} byte{}{}", count_text(offset), counts, count_text(size),
                     size == 1 ? "" : "s", steps);
}

ordered_json range_json(const Run& run, std::uint64_t offset, std::uint64_t size, Step step) {
  ordered_json json = {{"offset", offset}, {"size", size}};
  for (const Loop& loop : run.loops) {
    json["repeats"].push_back({{"count", loop.count}, {"every", loop.*step}});
  }
  return json;
}

std::uint64_t source_size(const Run& run) { return run.length * item_size(run.from()); }
std::uint64_t target_size(const Run& run) { return run.length * item_size(run.to()); }

}  // namespace

std::string source_range_text(const Run& run) {
  return range_text(run, run.source, source_size(run), &Loop::source_step);
}

std::string target_range_text(const Run& run, std::uint64_t begin) {
  return range_text(run, begin + run.target, target_size(run), &Loop::target_step);
}

std::string folder_of(const boost::filesystem::path& input) {
  const auto folder = boost::filesystem::is_directory(input) ? input : input.parent_path();
  const std::string text = folder.string();
  return text.empty() || text.ends_with('/') ? text : text + "/";
}

std::string source_file_text(const Arena& arena, const Run& run, const std::string& folder) {
  if (arena.nodes.op(run.leaf) != Op::kExtent) return "a constant";
  const ckb_file file = arena.nodes.file(run.leaf);
  const std::string& name = arena.sources.name(file);
  const std::size_t pieces = arena.sources.pieces(file).size();
  return printable(name.substr(name.starts_with(folder) ? folder.size() : 0)) +
         (pieces > 1 ? fmt::format(" and its {} further pieces", pieces - 1) : "");
}

ordered_json source_json(const Arena& arena, const Run& run) {
  ordered_json json = ordered_json::object();
  if (arena.nodes.op(run.leaf) == Op::kExtent) {
    json["file"] = arena.sources.name(arena.nodes.file(run.leaf));
  }
  json.update(range_json(run, run.source, source_size(run), &Loop::source_step));
  return json;
}

ordered_json target_json(const Run& run, std::uint64_t begin) {
  return range_json(run, begin + run.target, target_size(run), &Loop::target_step);
}

}  // namespace ckptbridge::cli
