#include "core/graph/origin.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "core/bytes/float_cast.h"

namespace ckptbridge {
namespace {

class Visit {
 public:
  explicit Visit(const Arena& arena) : nodes_(arena.nodes) {}

  void enter(ckb_node node) {
    if (!seen_.insert(node).second) return;
    for (const ckb_node input : nodes_.inputs(node)) enter(input);
    if (nodes_.op(node) == Op::kExtent) {
      const std::uint64_t begin = nodes_.offset(node);
      origin_.ranges[nodes_.file(node)].push_back({begin, begin + nodes_.extent_size(node)});
    } else {
      add(operation_at(node));
    }
  }

  ValueOrigin origin() && {
    for (auto& [file, ranges] : origin_.ranges) ranges = united(std::move(ranges));
    return std::move(origin_);
  }

 private:
  Operation operation_at(ckb_node node) const {
    Operation operation{nodes_.op(node)};
    if (operation.op == Op::kSlice || operation.op == Op::kConcat) operation.dim = nodes_.dim(node);
    if (operation.op == Op::kConcat) operation.parts = nodes_.inputs(node).size();
    if (operation.op == Op::kCast) {
      operation.from = nodes_.dtype(nodes_.inputs(node)[0]);
      operation.to = nodes_.dtype(node);
    }
    return operation;
  }

  void add(const Operation& operation) {
    const auto known =
        std::find_if(origin_.operations.begin(), origin_.operations.end(), [&](const auto& o) {
          return o.op == operation.op && o.dim == operation.dim && o.from == operation.from &&
                 o.to == operation.to;
        });
    if (known == origin_.operations.end()) {
      origin_.operations.push_back(operation);
    } else {
      known->parts = std::max(known->parts, operation.parts);
    }
  }

  const Nodes& nodes_;
  std::unordered_set<ckb_node> seen_;
  ValueOrigin origin_;
};

std::string operation_name(const Operation& operation) {
  switch (operation.op) {
    case Op::kSlice:
      return fmt::format("slice along {}", operation.dim);
    case Op::kConcat:
      return fmt::format("concat along {}", operation.dim);
    case Op::kReshape:
      return "reshape";
    case Op::kPermute:
      return "permute";
    case Op::kCast:
      return fmt::format("cast {} to {}", dtype_name(operation.from), dtype_name(operation.to));
    default:
      return "constant";
  }
}

}  // namespace

ValueOrigin origin_of(const Arena& arena, std::span<const ckb_node> values) {
  Visit visit(arena);
  for (const ckb_node value : values) visit.enter(value);
  return std::move(visit).origin();
}

std::vector<std::string> operation_names(const ValueOrigin& origin) {
  std::vector<std::string> names;
  names.reserve(origin.operations.size());
  for (const Operation& operation : origin.operations) names.push_back(operation_name(operation));
  return names;
}

std::string operation_words(const Operation& operation) {
  switch (operation.op) {
    case Op::kSlice:
      return fmt::format("cut along dimension {}", operation.dim);
    case Op::kConcat:
      return fmt::format("{} parts joined along dimension {}", operation.parts, operation.dim);
    case Op::kReshape:
      return "given another shape";
    case Op::kPermute:
      return "transposed";
    case Op::kCast:
      return cast_words(operation.from, operation.to);
    default:
      return "filled with a constant";
  }
}

std::string cast_words(Dtype from, Dtype to) {
  return fmt::format("{} from {} to {}", is_lossless(from, to) ? "widened" : "rounded",
                     dtype_name(from), dtype_name(to));
}

}  // namespace ckptbridge
