#include "cli/report/pieces.h"

#include <vector>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

using Step = std::uint64_t Loop::*;

// A range of one file that repeats, outermost first; inner repetitions that leave no gap are one
// range.
struct Range {
  struct Repeat {
    std::uint64_t count;
    std::uint64_t every;  // bytes
  };
  std::uint64_t offset;
  std::uint64_t size;
  std::vector<Repeat> repeats = {};
};

Range range_of(const Run& run, std::uint64_t offset, std::uint64_t size, Step step) {
  Range range{offset, size};
  for (const Loop& loop : run.loops) range.repeats.push_back({loop.count, loop.*step});
  while (!range.repeats.empty() && range.repeats.back().every == range.size) {
    range.size *= range.repeats.back().count;
    range.repeats.pop_back();
  }
  return range;
}

Range source_range(const Run& run) {
  return range_of(run, run.source, run.length * item_size(run.from()), &Loop::source_step);
}

Range target_range(const Run& run, std::uint64_t begin) {
  return range_of(run, begin + run.target, run.length * item_size(run.to()), &Loop::target_step);
}

std::string range_text(const Range& range) {
  std::string counts;
  std::string steps;
  for (const Range::Repeat& repeat : range.repeats) {
    counts += count_text(repeat.count) + " × ";
    steps += (steps.empty() ? ", every " : " and ") + count_text(repeat.every);
  }
  if (!steps.empty()) steps += " bytes";
  return fmt::format("offset {}, {}{}{}", count_text(range.offset), counts,
                     counted(range.size, "byte"), steps);
}

Json range_json(const Range& range) {
  Json json = {{"offset", range.offset}, {"size", range.size}};
  for (const Range::Repeat& repeat : range.repeats) {
    json["repeats"].push_back({{"count", repeat.count}, {"every", repeat.every}});
  }
  return json;
}

}  // namespace

std::string source_range_text(const Run& run) { return range_text(source_range(run)); }

std::string target_range_text(const Run& run, std::uint64_t begin) {
  return range_text(target_range(run, begin));
}

std::string folder_of(const boost::filesystem::path& input) {
  const auto folder = boost::filesystem::is_directory(input) ? input : input.parent_path();
  const std::string& text = folder.string();
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

Json source_json(const Arena& arena, const Run& run) {
  Json json = Json::object();
  if (arena.nodes.op(run.leaf) == Op::kExtent) {
    json["file"] = arena.sources.name(arena.nodes.file(run.leaf));
  }
  json.update(range_json(source_range(run)));
  return json;
}

Json target_json(const Run& run, std::uint64_t begin) {
  return range_json(target_range(run, begin));
}

}  // namespace ckptbridge::cli
