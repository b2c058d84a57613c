#include "cli/report_tensors.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/intervals.h"

namespace ckptbridge::cli {
namespace {

using nlohmann::ordered_json;

// What a value is made of.
class Origin {
 public:
  explicit Origin(const Arena& arena) : arena_(arena) {}

  void visit(ckb_node node) {
    if (!seen_.insert(node).second) return;
    const Nodes& nodes = arena_.nodes;
    for (const ckb_node input : nodes.inputs(node)) visit(input);
    if (nodes.op(node) == Op::kExtent) {
      const std::uint64_t begin = nodes.offset(node);
      sources_[nodes.file(node)].push_back({begin, begin + nodes.extent_size(node)});
    } else {
      const std::string text = operation_text(node);
      if (std::find(operations_.begin(), operations_.end(), text) == operations_.end()) {
        operations_.push_back(text);
      }
    }
  }

  // Ranges of files; of a strided view, from its first byte to its last.
  ordered_json sources() const {
    ordered_json result = ordered_json::array();
    for (const auto& [file, intervals] : sources_) {
      for (const auto& [begin, end] : united(intervals)) {
        result.push_back(
            {{"file", arena_.sources.name(file)}, {"offset", begin}, {"size", end - begin}});
      }
    }
    return result;
  }

  // Each once, in the order in which they are done.
  const std::vector<std::string>& operations() const { return operations_; }

 private:
  std::string operation_text(ckb_node node) const {
    const Nodes& nodes = arena_.nodes;
    switch (nodes.op(node)) {
      case Op::kSlice:
        return fmt::format("slice along {}", nodes.dim(node));
      case Op::kConcat:
        return fmt::format("concat along {}", nodes.dim(node));
      case Op::kReshape:
        return "reshape";
      case Op::kPermute:
        return "permute";
      case Op::kCast:
        return fmt::format("cast {} to {}", dtype_name(nodes.dtype(nodes.inputs(node)[0])),
                           dtype_name(nodes.dtype(node)));
      default:
        return "constant";
    }
  }

  const Arena& arena_;
  std::unordered_set<ckb_node> seen_;
  std::map<ckb_file, std::vector<Interval>> sources_;
  std::vector<std::string> operations_;
};

}  // namespace

ordered_json tensors_json(const Report& report) {
  const Graph& graph = report.conversion.target;
  std::map<std::string, std::string> digests;  // of whole tensors, by name
  if (report.digests) {
    for (const DigestEntry& entry : report.digests->tensors) {
      if (entry.mp_world_size == 1) digests[entry.name] = entry.digest;
    }
  }
  ordered_json result = ordered_json::array();
  for (const Tensor& tensor : graph.tensors()) {
    Origin origin(graph.arena());
    origin.visit(tensor.value);
    ordered_json json = {{"name", tensor.name},
                         {"role", tensor.role},
                         {"mp_rank", tensor.mp_rank},
                         {"mp_world_size", tensor.mp_world_size},
                         {"dtype", dtype_name(graph.arena().nodes.dtype(tensor.value))},
                         {"shape", tensor.shape},
                         {"sources", origin.sources()},
                         {"operations", origin.operations()}};
    const auto digest = digests.find(tensor.name);
    if (digest != digests.end()) json["digest"] = digest->second;
    result.push_back(std::move(json));
  }
  return result;
}

}  // namespace ckptbridge::cli
