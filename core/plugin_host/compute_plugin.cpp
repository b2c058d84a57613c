#include "core/plugin_host/compute_plugin.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Ours where it is installed, else the first by id.
const Manifest& find_plugin(const Registry& registry) {
  const auto plugins = registry.with_role(Role::kCompute);
  if (plugins.empty()) {
    throw Error(CKB_UNSUPPORTED,
                "this takes a plugin that computes with tensors; install the package "
                "ckptbridge-torch (in a build of one's own: -DCKPTBRIDGE_TORCH=ON)");
  }
  const auto ours = std::find_if(plugins.begin(), plugins.end(),
                                 [](const Manifest* manifest) { return is_ours(manifest->id); });
  return ours == plugins.end() ? *plugins.front() : **ours;
}

std::uint64_t count_of(Dtype dtype, std::span<const std::byte> values) {
  const std::uint64_t item = item_size(dtype);
  assert(item > 0 && values.size() % item == 0);
  return item == 0 ? 0 : values.size() / item;
}

}  // namespace

Compute::Compute(const Registry& registry, const ckb_host* host)
    : plugin_(find_plugin(registry), host),
      table_(static_cast<const ckb_compute*>(plugin_.extension(CKB_COMPUTE))) {
  if (table_ == nullptr || !CKB_HAS(table_, quantiles)) {
    throw Error(CKB_UNSUPPORTED, fmt::format("plugin {}: its extension {} lacks functions",
                                             plugin_.id(), CKB_COMPUTE));
  }
}

void Compute::summarise(Dtype dtype, std::span<const std::byte> values, ckb_summary& sum) const {
  plugin_.call([&](ckb_error* error) {
    return table_->summarise(dtype, count_of(dtype, values), values.data(), &sum, error);
  });
}

void Compute::compare(Dtype first_dtype, std::span<const std::byte> first, Dtype second_dtype,
                      std::span<const std::byte> second, Tolerance tolerance,
                      ckb_comparison& sum) const {
  const std::uint64_t count = count_of(first_dtype, first);
  assert(count == count_of(second_dtype, second));
  plugin_.call([&](ckb_error* error) {
    return table_->compare(count, first_dtype, first.data(), second_dtype, second.data(),
                           tolerance.rtol, tolerance.atol, &sum, error);
  });
}

void Compute::histogram(Dtype dtype, std::span<const std::byte> values, Range range,
                        std::span<std::uint64_t> counts) const {
  plugin_.call([&](ckb_error* error) {
    return table_->histogram(dtype, count_of(dtype, values), values.data(), range.low, range.high,
                             static_cast<std::uint32_t>(counts.size()), counts.data(), error);
  });
}

std::vector<double> Compute::quantiles(Dtype dtype, std::span<const std::byte> values,
                                       std::span<const double> fractions) const {
  std::vector<double> result(fractions.size());
  plugin_.call([&](ckb_error* error) {
    return table_->quantiles(dtype, count_of(dtype, values), values.data(),
                             static_cast<std::uint32_t>(fractions.size()), fractions.data(),
                             result.data(), error);
  });
  return result;
}

}  // namespace ckptbridge
