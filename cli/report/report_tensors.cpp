#include "cli/report/report_tensors.h"

#include <map>
#include <span>

#include "core/graph/origin.h"
#include "core/text/json.h"

namespace ckptbridge::cli {
namespace {

// Ranges of files; of a strided view, from its first byte to its last.
Json sources_json(const Arena& arena, const ValueOrigin& origin) {
  Json result = Json::array();
  for (const auto& [file, ranges] : origin.ranges) {
    for (const auto& [begin, end] : ranges) {
      result.push_back(
          {{"file", arena.sources.name(file)}, {"offset", begin}, {"size", end - begin}});
    }
  }
  return result;
}

}  // namespace

Json tensors_json(const Report& report) {
  const Graph& graph = report.conversion.target;
  std::map<std::string, std::string> digests;  // of whole tensors, by name
  if (report.digests) {
    for (const DigestEntry& entry : report.digests->tensors) {
      if (entry.mp_world_size == 1) digests[entry.name] = entry.digest;
    }
  }
  Json result = Json::array();
  for (const Tensor& tensor : graph.tensors()) {
    const ValueOrigin origin = origin_of(graph.arena(), std::span(&tensor.value, 1));
    Json json = {{"name", tensor.name},
                 {"role", tensor.role},
                 {"mp_rank", tensor.mp_rank},
                 {"mp_world_size", tensor.mp_world_size},
                 {"dtype", dtype_name(graph.arena().nodes.dtype(tensor.value))},
                 {"shape", tensor.shape},
                 {"sources", sources_json(graph.arena(), origin)},
                 {"operations", operation_names(origin)}};
    const auto digest = digests.find(tensor.name);
    if (digest != digests.end()) json["digest"] = digest->second;
    result.push_back(std::move(json));
  }
  return result;
}

}  // namespace ckptbridge::cli
