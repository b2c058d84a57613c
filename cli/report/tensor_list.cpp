#include "cli/report/tensor_list.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "cli/report/pieces.h"
#include "core/graph/lowering.h"
#include "core/text/json.h"
#include "core/text/name_patterns.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// Whether one line says of both what they are.
bool look_alike(const Graph& graph, const Tensor& a, const Tensor& b) {
  const Nodes& nodes = graph.arena().nodes;
  return a.name == b.name && a.role == b.role && a.shape == b.shape &&
         nodes.dtype(a.value) == nodes.dtype(b.value);
}

std::string head_text(const Graph& graph, const Tensor& tensor) {
  return fmt::format("{}\n  {}, {} {}\n", printable(tensor.name), tensor.role,
                     dtype_name(graph.arena().nodes.dtype(tensor.value)), shape_text(tensor.shape));
}

std::string piece_text(const Arena& arena, const Run& run, const std::string& folder) {
  return source_file_text(arena, run, folder) + ": " + source_range_text(run) + "\n";
}

// Where the bytes of one rank's tensor are.
std::string place_text(const Graph& graph, const Tensor& tensor, bool verbose,
                       const std::string& folder) {
  const Arena& arena = graph.arena();
  std::string text = "  ";
  if (tensor.mp_world_size > 1) text += fmt::format("rank {}  ", tensor.mp_rank);
  const auto pieces = runs_of(arena.nodes, tensor.value);
  if (pieces.empty()) return text + "no bytes\n";
  if (pieces.size() == 1) return text + piece_text(arena, pieces.front(), folder);
  text += count_text(pieces.size()) + " pieces";
  if (!verbose) return text + ", the first: " + piece_text(arena, pieces.front(), folder);
  text += "\n";
  for (const Run& piece : pieces) text += "    " + piece_text(arena, piece, folder);
  return text;
}

}  // namespace

std::vector<const Tensor*> listed_tensors(const Graph& graph,
                                          const std::vector<std::string>& patterns) {
  std::vector<std::string_view> names;
  names.reserve(graph.tensors().size());
  std::unordered_map<std::string_view, std::size_t> first;  // where a name was seen first
  for (const Tensor& tensor : graph.tensors()) {
    first.try_emplace(tensor.name, names.size());
    names.push_back(tensor.name);
  }
  std::vector<const Tensor*> result;
  for (const std::size_t i : chosen_names(names, patterns, "--tensors")) {
    result.push_back(&graph.tensors()[i]);
  }
  std::stable_sort(result.begin(), result.end(), [&](const Tensor* a, const Tensor* b) {
    const auto key = [&](const Tensor* t) {
      return std::tuple(first.at(t->name), std::string_view(t->role), t->mp_rank);
    };
    return key(a) < key(b);
  });
  return result;
}

void list_tensors(const Graph& graph, const std::vector<const Tensor*>& tensors, bool verbose,
                  const std::string& folder, const std::function<void(const std::string&)>& print) {
  const Tensor* before = nullptr;
  for (const Tensor* tensor : tensors) {
    std::string text;
    if (before == nullptr || !look_alike(graph, *before, *tensor)) text = head_text(graph, *tensor);
    print(text + place_text(graph, *tensor, verbose, folder));
    before = tensor;
  }
}

Json tensor_json(const Graph& graph, const Tensor& tensor) {
  const Arena& arena = graph.arena();
  Json pieces = Json::array();
  for (const Run& run : runs_of(arena.nodes, tensor.value)) {
    pieces.push_back(source_json(arena, run));
  }
  return {{"name", tensor.name},
          {"role", tensor.role},
          {"mp_rank", tensor.mp_rank},
          {"mp_world_size", tensor.mp_world_size},
          {"dtype", dtype_name(arena.nodes.dtype(tensor.value))},
          {"shape", tensor.shape},
          {"pieces", std::move(pieces)}};
}

}  // namespace ckptbridge::cli
