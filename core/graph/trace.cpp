#include "core/graph/trace.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "core/text/name_patterns.h"

namespace ckptbridge {
namespace {

// A set of nodes. Inputs of a node have smaller ids, so one pass follows all operations.
class NodeSet {
 public:
  explicit NodeSet(const Nodes& nodes) : nodes_(nodes), in_(nodes.node_count() + 1) {}

  void add(ckb_node node) { in_[node] = true; }
  bool has(ckb_node node) const { return in_[node]; }

  // And all that are made of those in it.
  void add_results() {
    for (ckb_node node = 1; node < in_.size(); ++node) {
      const auto inputs = nodes_.inputs(node);
      in_[node] = in_[node] || std::any_of(inputs.begin(), inputs.end(),
                                           [this](ckb_node input) { return in_[input]; });
    }
  }
  // And all that those in it are made of.
  void add_inputs() {
    for (auto node = static_cast<ckb_node>(in_.size()); node-- > 1;) {
      if (!in_[node]) continue;
      for (const ckb_node input : nodes_.inputs(node)) in_[input] = true;
    }
  }

 private:
  const Nodes& nodes_;
  std::vector<bool> in_;
};

// Tensors by their values. Tied ones share one.
using ByValue = std::unordered_map<ckb_node, std::vector<std::size_t>>;

ByValue by_value(const Graph& graph) {
  ByValue result;
  for (std::size_t i = 0; i < graph.tensors().size(); ++i) {
    result[graph.tensors()[i].value].push_back(i);
  }
  return result;
}

// The tensors nearest below node: those whose values it, or what it is made of, is. `below` holds
// every node that has some.
std::vector<std::size_t> tensors_below(const Nodes& nodes, ckb_node node, const ByValue& tensors,
                                       const NodeSet& below) {
  std::vector<std::size_t> found;
  std::unordered_set<ckb_node> seen;
  std::vector<ckb_node> pending{node};
  while (!pending.empty()) {
    const ckb_node next = pending.back();
    pending.pop_back();
    if (!below.has(next) || !seen.insert(next).second) continue;
    if (const auto here = tensors.find(next); here != tensors.end()) {
      found.insert(found.end(), here->second.begin(), here->second.end());
      continue;
    }
    for (const ckb_node input : nodes.inputs(next)) pending.push_back(input);
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Tracer {
 public:
  Tracer(const Graph& source, const Graph& target, const Layout& layout)
      : source_(source),
        target_(target),
        layout_(layout),
        nodes_(source.arena().nodes),
        sources_(by_value(source)),
        targets_(by_value(target)),
        below_source_(nodes_),
        below_target_(nodes_) {
    for (const auto& [value, tensors] : sources_) below_source_.add(value);
    for (const auto& [value, tensors] : targets_) below_target_.add(value);
    below_source_.add_results();
    below_target_.add_results();
  }

  Trace run(const std::vector<std::string>& patterns, const std::string& option) {
    choose(patterns, option);
    Trace result;
    result.written = written();
    result.unwritten = unwritten();
    return result;
  }

 private:
  void choose(const std::vector<std::string>& patterns, const std::string& option) {
    std::vector<std::string_view> names;
    for (const Tensor& tensor : target_.tensors()) names.push_back(tensor.name);
    for (const Tensor& tensor : source_.tensors()) names.push_back(tensor.name);
    const std::size_t targets = target_.tensors().size();
    chosen_target_.resize(targets);
    chosen_source_.resize(source_.tensors().size());
    NodeSet made(nodes_);
    for (const std::size_t i : chosen_names(names, patterns, option)) {
      if (i < targets) {
        chosen_target_[i] = true;
      } else {
        chosen_source_[i - targets] = true;
        made.add(source_.tensors()[i - targets].value);
      }
    }
    made.add_results();
    for (std::size_t i = 0; i < targets; ++i) {
      if (made.has(target_.tensors()[i].value)) chosen_target_[i] = true;
    }
  }

  std::vector<WrittenTensor> written() const {
    std::vector<WrittenTensor> result;
    std::vector<std::size_t> number(target_.tensors().size());  // in result, by tensor
    std::map<std::tuple<std::string_view, std::string_view, ckb_node>, std::size_t> known;
    for (std::size_t i = 0; i < target_.tensors().size(); ++i) {
      if (!chosen_target_[i]) continue;
      const Tensor& tensor = target_.tensors()[i];
      const auto [it, added] =
          known.try_emplace({tensor.name, tensor.role, tensor.value}, result.size());
      number[i] = it->second;
      if (added) result.push_back({{}, sources_of(tensor.value), {}});
      result[it->second].tensors.push_back(&tensor);
    }
    for (std::uint32_t file = 0; file < layout_.files().size(); ++file) {
      for (const Segment& segment : layout_.files()[file].segments) {
        if (segment.content != Content::kValue) continue;
        const auto value = static_cast<ckb_node>(segment.index);
        std::unordered_set<std::size_t> done;  // of result: ranks share one
        for (const std::size_t i : tensors_below(nodes_, value, targets_, below_target_)) {
          if (chosen_target_[i] && done.insert(number[i]).second) {
            result[number[i]].places.push_back({file, segment});
          }
        }
      }
    }
    return result;
  }

  std::vector<const Tensor*> sources_of(ckb_node value) const {
    std::vector<const Tensor*> result;
    for (const std::size_t i : tensors_below(nodes_, value, sources_, below_source_)) {
      result.push_back(&source_.tensors()[i]);
    }
    return result;
  }

  std::vector<UnwrittenTensor> unwritten() const {
    NodeSet used(nodes_);
    for (const Tensor& tensor : target_.tensors()) used.add(tensor.value);
    used.add_inputs();
    std::vector<std::string> reasons(source_.tensors().size());
    const auto give = [&](ckb_node value, const std::string& reason) {
      for (const std::size_t i : tensors_below(nodes_, value, sources_, below_source_)) {
        if (reasons[i].empty()) reasons[i] = reason;
      }
    };
    const Arena& arena = source_.arena();
    for (const Expectation& expected : arena.expectations) {
      give(expected.other, "compared, as it must be equal: " + expected.what);
    }
    for (const Drop& drop : arena.drops) give(drop.value, drop.reason);
    std::vector<UnwrittenTensor> result;
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const Tensor& tensor = source_.tensors()[i];
      if (chosen_source_[i] && !used.has(tensor.value)) result.push_back({&tensor, reasons[i]});
    }
    return result;
  }

  const Graph& source_;
  const Graph& target_;
  const Layout& layout_;
  const Nodes& nodes_;
  const ByValue sources_;
  const ByValue targets_;
  NodeSet below_source_;  // nodes that have values of source below them
  NodeSet below_target_;
  std::vector<bool> chosen_source_;
  std::vector<bool> chosen_target_;
};

}  // namespace

Trace trace(const Graph& source, const Graph& target, const Layout& layout,
            const std::vector<std::string>& patterns, const std::string& option) {
  return Tracer(source, target, layout).run(patterns, option);
}

}  // namespace ckptbridge
