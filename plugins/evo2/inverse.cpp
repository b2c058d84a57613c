#include "plugins/evo2/inverse.h"

#include <unordered_map>
#include <utility>

namespace ckptbridge::evo2 {

Inverse inverse(const Expected& expected) {
  std::unordered_map<std::string_view, const Source*> sources;
  for (const Source& source : expected.sources) sources.emplace(source.name, &source);

  std::unordered_map<std::string_view, Part> parts;
  for (const Target& target : expected.targets) {
    std::uint64_t at = 0;
    for (const std::string& name : target.from) {
      const Source& source = *sources.at(name);
      Part part{.name = name, .shape = source.shape, .from = target.name, .dim = target.concat_dim};
      if (target.cut) {
        part.uncut = part.shape[target.cut->dim];
        if (part.uncut > target.cut->count) part.cut = target.cut;
        part.shape[target.cut->dim] = target.cut->count;
      }
      part.begin = at;
      part.end = at += part.shape[part.dim];
      part.is_whole = target.from.size() == 1;
      part.is_filter = target.is_filter;
      parts.emplace(name, std::move(part));
    }
  }
  Inverse out;
  for (const Source& source : expected.sources) {
    if (const auto part = parts.find(source.name); part != parts.end()) {
      out.parts.push_back(part->second);
    } else if (source.equals.empty()) {
      out.missing.push_back(source);
    }
  }
  return out;
}

}  // namespace ckptbridge::evo2
