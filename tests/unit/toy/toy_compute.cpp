// Offers ckptbridge.compute/1 for float32 alone, without NaN and infinities.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "ckptbridge/draft/compute.h"
#include "ckptbridge/plugin.hpp"

namespace {

using ckptbridge::kFloat32;
using ckptbridge::plugin::detail::guard;

const float* floats(ckb_dtype dtype, const void* values) {
  if (dtype != kFloat32) throw ckptbridge::Error(CKB_UNSUPPORTED, "only float32 here");
  return static_cast<const float*>(values);
}

ckb_status summarise(ckb_dtype dtype, std::uint64_t count, const void* values, ckb_summary* sum,
                     ckb_error* error) {
  return guard(error, [&] {
    const float* v = floats(dtype, values);
    for (std::uint64_t i = 0; i < count; ++i, ++sum->count) {
      sum->min = sum->count == 0 ? v[i] : std::min<double>(sum->min, v[i]);
      sum->max = sum->count == 0 ? v[i] : std::max<double>(sum->max, v[i]);
    }
  });
}

ckb_status compare(std::uint64_t count, ckb_dtype first_dtype, const void* first,
                   ckb_dtype second_dtype, const void* second, double rtol, double atol,
                   ckb_comparison* sum, ckb_error* error) {
  return guard(error, [&] {
    const float* a = floats(first_dtype, first);
    const float* b = floats(second_dtype, second);
    for (std::uint64_t i = 0; i < count; ++i, ++sum->count) {
      const double distance = std::fabs(double{a[i]} - b[i]);
      if (distance > sum->max_difference) {
        sum->max_difference = distance;
        sum->max_at = sum->count;
      }
      sum->sum_difference += distance;
      if (b[i] != 0) {
        sum->max_relative = std::max(sum->max_relative, distance / std::fabs(double{b[i]}));
      }
      sum->differing += distance > 0 ? 1 : 0;
      if (distance <= atol + rtol * std::fabs(double{b[i]})) continue;
      if (sum->beyond++ == 0) sum->first_beyond = sum->count;
    }
  });
}

ckb_status histogram(ckb_dtype dtype, std::uint64_t count, const void* values, double low,
                     double high, std::uint32_t bins, std::uint64_t* counts, ckb_error* error) {
  return guard(error, [&] {
    const float* v = floats(dtype, values);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto bin = static_cast<std::uint32_t>((v[i] - low) / (high - low) * bins);
      ++counts[std::min(bin, bins - 1)];
    }
  });
}

ckb_status quantiles(ckb_dtype dtype, std::uint64_t count, const void* values,
                     std::uint32_t fraction_count, const double* fractions, double* out,
                     ckb_error* error) {
  return guard(error, [&] {
    const float* v = floats(dtype, values);
    std::vector<float> sorted(v, v + count);
    std::sort(sorted.begin(), sorted.end());
    for (std::uint32_t i = 0; i < fraction_count; ++i) {
      out[i] = sorted[static_cast<std::size_t>(fractions[i] * static_cast<double>(count - 1))];
    }
  });
}

const void* extension(const char* id) {
  static const ckb_compute table = {sizeof(ckb_compute), 0,        summarise, compare,
                                    histogram,           quantiles};
  return std::strcmp(id, CKB_COMPUTE) == 0 ? &table : nullptr;
}

}  // namespace

CKPTBRIDGE_EXTENSIONS(extension, "toy.compute", "1")
