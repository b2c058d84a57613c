#include "core/graph/lowering.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace ckptbridge {
namespace {

// A set of elements of one node: nested loops over linear (row-major) indices of the node, and
// where each of them goes. All numbers count elements.
struct Walk {
  struct Step {
    std::uint64_t count;
    std::uint64_t in;
    std::uint64_t out;
  };
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  boost::container::small_vector<Step, 6> steps;

  void add(Step step) {
    if (step.count > 1) steps.push_back(step);
  }
  // This walk with step i cut to the iterations [from, from + count).
  Walk part(std::size_t i, std::uint64_t from, std::uint64_t count) const {
    Walk result = *this;
    result.in += from * steps[i].in;
    result.out += from * steps[i].out;
    result.steps[i].count = count;
    if (count == 1) result.steps.erase(result.steps.begin() + static_cast<std::ptrdiff_t>(i));
    return result;
  }
};

// A walk of which each step moves along exactly one dimension of a shape and never leaves it.
struct Box {
  Walk walk;
  boost::container::small_vector<std::uint64_t, 6> at;        // coordinates of the first element
  boost::container::small_vector<std::uint32_t, 6> dims;      // of each step
  boost::container::small_vector<std::uint64_t, 6> multiple;  // of each step, in that dimension
};

using Shape = boost::container::small_vector<std::uint64_t, 6>;

// Row-major strides of shape.
Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// Splits a walk over the linear indices of a shape into boxes of it.
class BoxSplitter {
 public:
  // Both must outlive it.
  BoxSplitter(const Shape& shape, const std::function<void(const Box&)>& emit)
      : shape_(shape), strides_(strides_of(shape)), emit_(emit) {}

  void run(Walk walk) {
    pending_.push_back(std::move(walk));
    while (!pending_.empty()) {
      const Walk next = std::move(pending_.back());
      pending_.pop_back();
      split(next);
    }
  }

 private:
  // The dimension in which a step of so many elements moves: the one whose stride it reaches.
  std::uint32_t dim_of(std::uint64_t step) const {
    std::uint32_t dim = 0;
    while (step < strides_[dim] || shape_[dim] == 1) ++dim;
    return dim;
  }

  void split(const Walk& walk) {
    Box box{walk, {}, {}, {}};
    std::uint64_t rest = walk.in;
    for (const std::uint64_t stride : strides_) {
      box.at.push_back(rest / stride);
      rest %= stride;
    }
    for (std::size_t i = 0; i < walk.steps.size(); ++i) {
      const std::uint32_t dim = dim_of(walk.steps[i].in);
      if (walk.steps[i].in % strides_[dim] != 0) return peel(walk, i);
      box.dims.push_back(dim);
      box.multiple.push_back(walk.steps[i].in / strides_[dim]);
    }
    for (std::uint32_t dim = 0; dim < shape_.size(); ++dim) {
      std::uint64_t span = 0;
      std::size_t widest = walk.steps.size();
      for (std::size_t i = 0; i < walk.steps.size(); ++i) {
        if (box.dims[i] != dim) continue;
        span += (walk.steps[i].count - 1) * box.multiple[i];
        if (widest == walk.steps.size() || box.multiple[i] > box.multiple[widest]) widest = i;
      }
      if (box.at[dim] + span >= shape_[dim]) {
        return wrap(box, dim, widest, span - (walk.steps[widest].count - 1) * box.multiple[widest]);
      }
    }
    emit_(box);
  }

  // Every iteration of step i on its own: right for any step, used for odd ones only.
  void peel(const Walk& walk, std::size_t i) {
    for (std::uint64_t t = 0; t < walk.steps[i].count; ++t) pending_.push_back(walk.part(i, t, 1));
  }

  // Step i runs over the end of dimension dim into the next row of the dimension before it; the
  // steps inside it reach inner further. Cuts it where it does.
  void wrap(const Box& box, std::uint32_t dim, std::size_t i, std::uint64_t inner) {
    assert(dim > 0);
    const Walk& walk = box.walk;
    const std::uint64_t step = box.multiple[i];
    const std::uint64_t count = walk.steps[i].count;
    if (shape_[dim] % step == 0 && box.at[dim] % step + inner < step) {
      // The same pattern in each row: what is left of this row, whole rows, and the last one.
      const std::uint64_t per_row = shape_[dim] / step;
      const std::uint64_t done = box.at[dim] / step;
      const std::uint64_t head = done == 0 ? 0 : std::min(count, per_row - done);
      const std::uint64_t rows = (count - head) / per_row;
      const std::uint64_t tail = count - head - rows * per_row;
      if (head > 0) pending_.push_back(walk.part(i, 0, head));
      if (rows > 0) {
        Walk body = per_row == 1 ? walk.part(i, head, 1) : walk.part(i, head, per_row);
        body.add({rows, walk.steps[i].in * per_row, walk.steps[i].out * per_row});
        pending_.push_back(std::move(body));
      }
      if (tail > 0) pending_.push_back(walk.part(i, count - tail, tail));
      return;
    }
    const std::uint64_t room = shape_[dim] - box.at[dim];
    const std::uint64_t whole = room > inner ? std::min(count, (room - inner - 1) / step + 1) : 0;
    if (whole > 0) pending_.push_back(walk.part(i, 0, whole));
    if (whole < count) pending_.push_back(walk.part(i, whole, 1));
    if (whole + 1 < count) pending_.push_back(walk.part(i, whole + 1, count - whole - 1));
  }

  const Shape& shape_;
  const Shape strides_;
  const std::function<void(const Box&)>& emit_;
  std::vector<Walk> pending_;
};

class Lowering {
 public:
  Lowering(const Nodes& nodes, const std::function<void(const Run&)>& emit)
      : nodes_(nodes), emit_(emit) {}

  // dtypes_[0, casts) are the types above node, the value's own first.
  void visit(ckb_node node, const Walk& walk) {
    switch (nodes_.op(node)) {
      case Op::kExtent:
        if (!nodes_.strides(node).empty()) return strided_leaf(node, walk);
        return leaf(node, walk);
      case Op::kConstant:
        return leaf(node, walk);
      case Op::kSlice:
        return slice(node, walk);
      case Op::kConcat:
        return concat(node, walk);
      case Op::kReshape:
        return visit(nodes_.inputs(node)[0], walk);
      case Op::kPermute:
        return permute(node, walk);
      case Op::kCast:
        above_.push_back(nodes_.dtype(node));
        visit(nodes_.inputs(node)[0], walk);
        above_.pop_back();
        return;
    }
  }

 private:
  Shape whole_shape(ckb_node node) const {
    const auto shape = nodes_.shape(node);
    return {shape.begin(), shape.end()};
  }

  // The shape of node with the dimensions before and behind dim each made one.
  Shape around(ckb_node node, std::uint32_t dim) const {
    const auto shape = nodes_.shape(node);
    Shape result(3, 1);
    for (std::uint32_t i = 0; i < shape.size(); ++i) {
      result[i < dim ? 0 : i == dim ? 1 : 2] *= static_cast<std::uint64_t>(shape[i]);
    }
    return result;
  }

  // The same box where coordinate j moves strides[j] elements.
  static Walk restride(const Box& box, const Shape& strides, std::uint64_t base = 0) {
    Walk walk = box.walk;
    walk.in = base;
    for (std::size_t j = 0; j < box.at.size(); ++j) walk.in += box.at[j] * strides[j];
    for (std::size_t i = 0; i < walk.steps.size(); ++i) {
      walk.steps[i].in = box.multiple[i] * strides[box.dims[i]];
    }
    return walk;
  }

  void split(const Shape& shape, const Walk& walk, const std::function<void(const Box&)>& emit) {
    BoxSplitter(shape, emit).run(walk);
  }

  void slice(ckb_node node, const Walk& walk) {
    const ckb_node input = nodes_.inputs(node)[0];
    const Shape strides = strides_of(around(input, nodes_.dim(node)));
    const std::uint64_t base = nodes_.begin(node) * strides[1];
    split(around(node, nodes_.dim(node)), walk,
          [&](const Box& box) { visit(input, restride(box, strides, base)); });
  }

  void permute(ckb_node node, const Walk& walk) {
    const ckb_node input = nodes_.inputs(node)[0];
    const Shape below = strides_of(whole_shape(input));
    Shape strides;
    for (const std::int64_t from : nodes_.permutation(node)) {
      strides.push_back(below[static_cast<std::size_t>(from)]);
    }
    split(whole_shape(node), walk, [&](const Box& box) { visit(input, restride(box, strides)); });
  }

  void concat(ckb_node node, const Walk& walk) {
    const std::uint32_t dim = nodes_.dim(node);
    split(around(node, dim), walk, [&](const Box& box) { concat_box(node, box); });
  }

  // Hands each input its part of a box, cutting the box where it runs from one into the next.
  void concat_box(ckb_node node, const Box& whole) {
    const auto inputs = nodes_.inputs(node);
    const std::uint32_t dim = nodes_.dim(node);
    std::vector<Box> pending{whole};
    std::size_t input = 0;
    std::uint64_t first = 0;  // where that input begins
    while (!pending.empty()) {
      const Box box = std::move(pending.back());
      pending.pop_back();
      if (box.at[1] < first) input = 0, first = 0;
      const auto size = [&] {
        return static_cast<std::uint64_t>(nodes_.shape(inputs[input])[dim]);
      };
      while (box.at[1] >= first + size()) first += size(), ++input;
      const std::uint64_t end = first + size();

      std::uint64_t span = 0;
      std::size_t widest = box.dims.size();
      for (std::size_t i = 0; i < box.dims.size(); ++i) {
        if (box.dims[i] != 1) continue;
        span += (box.walk.steps[i].count - 1) * box.multiple[i];
        if (widest == box.dims.size() || box.multiple[i] > box.multiple[widest]) widest = i;
      }
      if (box.at[1] + span < end) {
        Box inside = box;
        inside.at[1] -= first;
        const Shape strides = strides_of(around(inputs[input], dim));
        visit(inputs[input], restride(inside, strides));
        continue;
      }
      const std::uint64_t count = box.walk.steps[widest].count;
      const std::uint64_t step = box.multiple[widest];
      const std::uint64_t inner = span - (count - 1) * step;
      const std::uint64_t room = end - box.at[1];
      const std::uint64_t fits = room > inner ? std::min(count, (room - inner - 1) / step + 1) : 0;
      // The iteration that straddles the boundary stands alone; without steps inside it, there is
      // none, and the rest begins in the next input.
      const std::uint64_t alone = fits < count && inner > 0 ? 1 : 0;
      if (fits + alone < count) {
        pending.push_back(part(box, widest, fits + alone, count - fits - alone));
      }
      if (alone > 0) pending.push_back(part(box, widest, fits, 1));
      if (fits > 0) pending.push_back(part(box, widest, 0, fits));
    }
  }

  static Box part(const Box& box, std::size_t i, std::uint64_t from, std::uint64_t count) {
    Box result = box;
    result.walk = box.walk.part(i, from, count);
    result.at[box.dims[i]] += from * box.multiple[i];
    if (count == 1) {
      result.dims.erase(result.dims.begin() + static_cast<std::ptrdiff_t>(i));
      result.multiple.erase(result.multiple.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return result;
  }

  void strided_leaf(ckb_node node, const Walk& walk) {
    Shape strides;
    for (const std::int64_t stride : nodes_.strides(node)) {
      strides.push_back(static_cast<std::uint64_t>(stride));
    }
    split(whole_shape(node), walk, [&](const Box& box) { leaf(node, restride(box, strides)); });
  }

  // walk.in counts elements from the leaf's first one; from here on, bytes.
  void leaf(ckb_node node, Walk walk) {
    Run run{};
    run.leaf = node;
    run.dtypes[run.dtype_count++] = nodes_.dtype(node);
    for (std::size_t i = above_.size(); i-- > 0;) run.dtypes[run.dtype_count++] = above_[i];
    const std::uint64_t from = item_size(run.from());
    const std::uint64_t to = item_size(run.to());
    run.source = (nodes_.op(node) == Op::kExtent ? nodes_.offset(node) : 0) + walk.in * from;
    run.target = walk.out * to;

    auto& steps = walk.steps;
    std::sort(steps.begin(), steps.end(),
              [](const auto& a, const auto& b) { return a.out > b.out; });
    for (std::size_t i = steps.size(); i-- > 1;) {
      auto& outer = steps[i - 1];
      const auto& inner = steps[i];
      if (outer.in == inner.in * inner.count && outer.out == inner.out * inner.count) {
        outer = {outer.count * inner.count, inner.in, inner.out};
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    run.length = 1;
    if (!steps.empty() && steps.back().in == 1 && steps.back().out == 1) {
      run.length = steps.back().count;
      steps.pop_back();
    }
    for (const auto& step : steps) run.loops.push_back({step.count, step.in * from, step.out * to});
    emit_(run);
  }

  const Nodes& nodes_;
  const std::function<void(const Run&)>& emit_;
  boost::container::small_vector<Dtype, 4> above_;
};

}  // namespace

void lower(const Nodes& nodes, ckb_node node, std::uint64_t begin, std::uint64_t count,
           const std::function<void(const Run&)>& emit) {
  if (count == 0) return;
  assert(begin + count <= nodes.count(node));
  Walk walk;
  walk.in = begin;
  walk.add({count, 1, 1});
  Lowering(nodes, emit).visit(node, walk);
}

std::vector<Run> runs_of(const Nodes& nodes, ckb_node node) {
  std::vector<Run> runs;
  lower(nodes, node, 0, nodes.count(node), [&](const Run& run) { runs.push_back(run); });
  std::sort(runs.begin(), runs.end(),
            [](const Run& a, const Run& b) { return a.target < b.target; });
  return runs;
}

}  // namespace ckptbridge
