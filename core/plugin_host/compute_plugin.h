// Tensor arithmetic beyond copies and casts, done by a plugin with the role "compute": the
// extension ckptbridge.compute/1 as values and exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ckptbridge/draft/compute.h"
#include "ckptbridge/dtype.hpp"
#include "core/plugin_host/loaded_plugin.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge {

// What a block of elements adds to; see ckb_summary and ckb_comparison.
inline constexpr ckb_summary kEmptySummary{sizeof(ckb_summary), 0, 0, 0, 0, 0, 0};
inline constexpr ckb_comparison kEmptyComparison{sizeof(ckb_comparison), 0, 0, 0, 0, 0, 0, 0, 0, 0};

// A range that histogram() divides into equal parts; low < high.
struct Range {
  double low;
  double high;
};

// How far two elements may be apart: |first - second| <= atol + rtol * |second|.
struct Tolerance {
  double rtol = 0;
  double atol = 0;
};

// Of all pairs, those of other than finite numbers counted as 0.
inline double mean_difference(const ckb_comparison& sum) {
  return sum.count == 0 ? 0 : sum.sum_difference / static_cast<double>(sum.count);
}

// Blocks are whole elements, contiguous and aligned. [any-thread] for all but the constructor. Each
// throws UNSUPPORTED for an element type that the plugin cannot compute with.
class Compute {
 public:
  // Loads the plugin, which may take most of a second: only when its numbers are asked for. Throws
  // UNSUPPORTED, which says what to install, where there is none.
  Compute(const Registry& registry, const ckb_host* host);

  void summarise(Dtype dtype, std::span<const std::byte> values, ckb_summary& sum) const;
  // Of as many elements each.
  void compare(Dtype first_dtype, std::span<const std::byte> first, Dtype second_dtype,
               std::span<const std::byte> second, Tolerance tolerance, ckb_comparison& sum) const;
  // As many parts as there are counts.
  void histogram(Dtype dtype, std::span<const std::byte> values, Range range,
                 std::span<std::uint64_t> counts) const;
  // fractions: in [0, 1].
  std::vector<double> quantiles(Dtype dtype, std::span<const std::byte> values,
                                std::span<const double> fractions) const;

 private:
  Plugin plugin_;
  const ckb_compute* table_;
};

}  // namespace ckptbridge
