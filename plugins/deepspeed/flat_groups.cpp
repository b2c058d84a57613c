#include "plugins/deepspeed/flat_groups.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ckptbridge::deepspeed {
namespace {

// Elements of all ranks' flat groups together, so that their bytes can be counted in 63 bits.
constexpr std::int64_t kMostElements = std::int64_t{1} << 58;

[[noreturn]] void impossible(const ParamShape& param) {
  throw Error(CKB_CORRUPT,
              fmt::format("param_shapes: {} has the impossible shape [{}]", param.name,
                          fmt::join(param.shape, ", ")),
              {.tensor = param.name});
}

std::int64_t count_of(const ParamShape& param) {
  // Zeros must not hide an overflow.
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : param.shape) {
    empty = empty || size == 0;
    if (size < 0 || (size > 0 && __builtin_mul_overflow(count, size, &count)) ||
        count > kMostElements) {
      impossible(param);
    }
  }
  return empty ? 0 : count;
}

}  // namespace

FlatGroup::FlatGroup(std::vector<ParamShape> params, std::int64_t ranks)
    : params_(std::move(params)), ranks_(ranks) {
  fragments_.reserve(params_.size());
  for (const ParamShape& param : params_) {
    const std::int64_t count = count_of(param);
    const std::int64_t size = count / ranks_ + (count % ranks_ != 0 ? 1 : 0);
    if (size > (kMostElements / ranks_) - size_) impossible(param);
    fragments_.push_back({count, size_, size, size * ranks_ - count});
    size_ += size;
  }
}

ckb_node FlatGroup::matrix(plugin::Graph& out, const std::vector<ckb_node>& flat_groups) const {
  const ckb_node all = flat_groups.size() == 1 ? flat_groups[0] : out.concat(flat_groups, 0);
  const plugin::Shape shape{ranks_, size_};
  return out.reshape(all, shape);
}

ckb_node FlatGroup::padded(plugin::Graph& out, ckb_node matrix, std::size_t param) const {
  const Fragment& fragment = fragments_[param];
  const plugin::Shape flat{fragment.size * ranks_};
  return out.reshape(out.slice(matrix, 1, fragment.begin, fragment.begin + fragment.size), flat);
}

ckb_node FlatGroup::value(plugin::Graph& out, ckb_node matrix, std::size_t param) const {
  const ckb_node flat = padded(out, matrix, param);
  return out.reshape(out.slice(flat, 0, 0, fragments_[param].count), params_[param].shape);
}

void FlatGroup::drop_padding(plugin::Graph& out, ckb_node matrix, std::size_t param) const {
  const Fragment& fragment = fragments_[param];
  if (fragment.padding == 0) return;
  out.drop(
      out.slice(padded(out, matrix, param), 0, fragment.count, fragment.count + fragment.padding),
      "padding behind parameters, which the data-parallel ranks share evenly");
}

}  // namespace ckptbridge::deepspeed
