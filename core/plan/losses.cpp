#include "core/plan/losses.h"

#include <algorithm>
#include <set>

#include <boost/filesystem/operations.hpp>

#include "core/bytes/float_cast.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// The first cast below node that loses precision; false if there is none.
bool find_rounding(const Nodes& nodes, ckb_node node, Rounding& found) {
  const auto inputs = nodes.inputs(node);
  if (nodes.op(node) == Op::kCast) {
    const Dtype from = nodes.dtype(inputs[0]);
    if (!is_lossless(from, nodes.dtype(node))) {
      found = {from, nodes.dtype(node), 1};
      return true;
    }
  }
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](ckb_node input) { return find_rounding(nodes, input, found); });
}

std::vector<Rounding> find_roundings(const Graph& written) {
  std::vector<Rounding> result;
  for (const Tensor& tensor : written.tensors()) {
    Rounding found{};
    if (!find_rounding(written.arena().nodes, tensor.value, found)) continue;
    const auto same = std::find_if(result.begin(), result.end(), [&](const Rounding& r) {
      return r.from == found.from && r.to == found.to;
    });
    if (same != result.end()) {
      ++same->tensors;
    } else {
      result.push_back(found);
    }
  }
  return result;
}

std::vector<DroppedObjects> group_objects(const std::vector<ObjectDrop>& drops) {
  std::vector<DroppedObjects> result;
  for (const ObjectDrop& drop : drops) {
    auto group = std::find_if(result.begin(), result.end(),
                              [&](const DroppedObjects& g) { return g.reason == drop.reason; });
    if (group == result.end()) group = result.insert(result.end(), {drop.reason, {}});
    group->names.push_back(drop.name);
  }
  return result;
}

// Real paths, so that a link and its target are one file.
std::set<std::string> opened_files(const InputFiles& sources) {
  std::set<std::string> result;
  for (std::uint32_t id = 1; id <= sources.count(); ++id) {
    for (const std::string& piece : sources.pieces(id)) {
      boost::system::error_code ignored;
      const fs::path real = fs::canonical(fs::path(piece), ignored);
      if (!real.empty()) result.insert(real.string());
    }
  }
  return result;
}

std::vector<std::string> find_unread(const InputFiles& sources, const fs::path& input) {
  std::vector<std::string> result;
  if (!fs::is_directory(input)) return result;
  const std::set<std::string> opened = opened_files(sources);
  boost::system::error_code error;
  // Links to folders are not followed: they could lead in circles.
  for (fs::recursive_directory_iterator it(input, error), end; !error && it != end;
       it.increment(error)) {
    boost::system::error_code gone;
    if (!fs::is_regular_file(it->path(), gone)) continue;
    if (opened.contains(fs::canonical(it->path(), gone).string())) continue;
    result.push_back(it->path().lexically_relative(input).string());
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

Losses find_losses(const Graph& written, const Coverage& coverage, const fs::path& input) {
  const Arena& arena = written.arena();
  return {coverage.dropped, group_objects(arena.object_drops), find_roundings(written),
          find_unread(arena.sources, input)};
}

}  // namespace ckptbridge
