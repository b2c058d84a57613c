#include "cli/report/tensor_plan.h"

#include <vector>

#include <fmt/format.h>

#include "cli/report/pieces.h"
#include "core/graph/lowering.h"
#include "core/graph/origin.h"
#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// With what the writer does on top.
ValueOrigin origin_of_written(const Arena& arena, const WrittenTensor& written) {
  std::vector<ckb_node> values{written.tensors.front()->value};
  for (const OutputPlace& place : written.places) {
    values.push_back(static_cast<ckb_node>(place.segment.index));
  }
  return origin_of(arena, values);
}

// "rank 0 of 8", "ranks 0 to 7 of 8"; "" for a whole tensor.
std::string ranks_text(const std::vector<const Tensor*>& tensors) {
  const Tensor& first = *tensors.front();
  if (first.mp_world_size == 1) return "";
  if (tensors.size() == 1) return fmt::format("rank {} of {}", first.mp_rank, first.mp_world_size);
  return fmt::format("ranks {} to {} of {}, alike", first.mp_rank, tensors.back()->mp_rank,
                     first.mp_world_size);
}

// Names, and behind each the ranks.
std::string made_of_text(const std::vector<const Tensor*>& sources) {
  std::vector<std::vector<const Tensor*>> by_name;
  for (const Tensor* source : sources) {
    if (by_name.empty() || by_name.back().front()->name != source->name) by_name.emplace_back();
    by_name.back().push_back(source);
  }
  std::vector<std::string> words;
  for (const auto& tensors : by_name) {
    std::string word = printable(tensors.front()->name);
    const int world = tensors.front()->mp_world_size;
    if (world > 1) {
      word += tensors.size() == 1 ? fmt::format(" (rank {} of {})", tensors.front()->mp_rank, world)
                                  : fmt::format(" ({} of {} ranks)", tensors.size(), world);
    }
    words.push_back(std::move(word));
  }
  return list_text(words);
}

std::string steps_text(const ValueOrigin& origin) {
  std::vector<std::string> words;
  words.reserve(origin.operations.size());
  for (const Operation& operation : origin.operations) words.push_back(operation_words(operation));
  return words.empty() ? "copied as it is" : list_text(words);
}

std::string casts_text(const Run& run) {
  std::string text;
  for (std::uint8_t i = 1; i < run.dtype_count; ++i) {
    if (run.dtypes[i] != run.dtypes[i - 1]) {
      text += ", " + cast_words(run.dtypes[i - 1], run.dtypes[i]);
    }
  }
  return text;
}

std::string place_text(const Conversion& conversion, const OutputPlace& place,
                       const std::string& folder) {
  const Arena& arena = *conversion.source.arena;
  const auto& [file, segment] = place;
  std::string text =
      fmt::format("  {}: offset {}, {} bytes\n", printable(conversion.layout.files()[file].path),
                  count_text(segment.offset), count_text(segment.size));
  const auto runs = runs_of(arena.nodes, static_cast<ckb_node>(segment.index));
  const bool is_whole = runs.size() == 1 && runs.front().loops.empty();
  for (const Run& run : runs) {
    if (!is_whole) text += "    to   " + target_range_text(run, segment.offset) + "\n";
    text += fmt::format("    from {}: {}{}\n", source_file_text(arena, run, folder),
                        source_range_text(run), casts_text(run));
  }
  return text;
}

std::string written_text(const Conversion& conversion, const WrittenTensor& written,
                         const std::string& folder) {
  const Tensor& tensor = *written.tensors.front();
  const std::string ranks = ranks_text(written.tensors);
  std::string text = fmt::format("\n{}\n  {}, {} {}{}\n", printable(tensor.name), tensor.role,
                                 dtype_name(conversion.source.arena->nodes.dtype(tensor.value)),
                                 shape_text(tensor.shape), ranks.empty() ? "" : ", " + ranks);
  if (!written.sources.empty()) text += "  made of  " + made_of_text(written.sources) + "\n";
  text += "  how      " + steps_text(origin_of_written(*conversion.source.arena, written)) + "\n";
  if (written.places.empty()) text += "  the files that hold it are there already\n";
  for (const OutputPlace& place : written.places) text += place_text(conversion, place, folder);
  return text;
}

Json place_json(const Conversion& conversion, const OutputPlace& place) {
  const auto& [file, segment] = place;
  Json pieces = Json::array();
  for (const Run& run :
       runs_of(conversion.source.arena->nodes, static_cast<ckb_node>(segment.index))) {
    Json dtypes = Json::array();
    for (std::uint8_t i = 0; i < run.dtype_count; ++i) dtypes.push_back(dtype_name(run.dtypes[i]));
    pieces.push_back({{"from", source_json(*conversion.source.arena, run)},
                      {"to", target_json(run, segment.offset)},
                      {"dtypes", std::move(dtypes)}});
  }
  return {{"file", conversion.layout.files()[file].path},
          {"offset", segment.offset},
          {"size", segment.size},
          {"pieces", std::move(pieces)}};
}

Json written_json(const Conversion& conversion, const WrittenTensor& written) {
  const Tensor& tensor = *written.tensors.front();
  Json ranks = Json::array();
  for (const Tensor* rank : written.tensors) ranks.push_back(rank->mp_rank);
  Json made_of = Json::array();
  for (const Tensor* source : written.sources) {
    made_of.push_back({{"name", source->name}, {"mp_rank", source->mp_rank}});
  }
  Json places = Json::array();
  for (const OutputPlace& place : written.places) places.push_back(place_json(conversion, place));
  return {{"name", tensor.name},
          {"role", tensor.role},
          {"dtype", dtype_name(conversion.source.arena->nodes.dtype(tensor.value))},
          {"shape", tensor.shape},
          {"ranks", std::move(ranks)},
          {"mp_world_size", tensor.mp_world_size},
          {"made_of", std::move(made_of)},
          {"operations", operation_names(origin_of_written(*conversion.source.arena, written))},
          {"places", std::move(places)}};
}

}  // namespace

std::string tensor_plan_text(const Conversion& conversion, const Trace& trace) {
  const std::string folder = folder_of(conversion.request.input);
  std::string text;
  for (const WrittenTensor& written : trace.written) {
    text += written_text(conversion, written, folder);
  }
  for (const auto& [tensor, reason] : trace.unwritten) {
    text += fmt::format("\n{}{}\n  not written{}\n", printable(tensor->name),
                        tensor->mp_world_size > 1 ? fmt::format(", rank {}", tensor->mp_rank) : "",
                        reason.empty() ? " as a tensor" : ": " + printable(reason));
  }
  return text;
}

Json tensor_plan_json(const Conversion& conversion, const Trace& trace) {
  Json written = Json::array();
  for (const WrittenTensor& one : trace.written) written.push_back(written_json(conversion, one));
  Json not_written = Json::array();
  for (const auto& [tensor, reason] : trace.unwritten) {
    not_written.push_back(
        {{"name", tensor->name}, {"mp_rank", tensor->mp_rank}, {"reason", reason}});
  }
  return {{"written", std::move(written)}, {"not_written", std::move(not_written)}};
}

}  // namespace ckptbridge::cli
