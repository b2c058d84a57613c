// The extension ckptbridge.compute/1 by libtorch: each function wraps its buffers as tensors,
// without a copy, and asks ATen.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/histc.h>
#include <ATen/ops/isclose.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/quantile.h>

#include "ckptbridge/draft/compute.h"
#include "ckptbridge/plugin.hpp"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::plugin::detail::guard;

// ATen's type of the same elements, where this libtorch has one and computes with it.
std::optional<at::ScalarType> torch_type(Dtype dtype) {
  if (dtype == ckptbridge::kFloat64) return at::kDouble;
  if (dtype == ckptbridge::kFloat32) return at::kFloat;
  if (dtype == ckptbridge::kFloat16) return at::kHalf;
  if (dtype == ckptbridge::kBFloat16) return at::kBFloat16;
  if (dtype == ckptbridge::kInt64) return at::kLong;
  if (dtype == ckptbridge::kInt32) return at::kInt;
  if (dtype == ckptbridge::kInt16) return at::kShort;
  if (dtype == ckptbridge::kInt8) return at::kChar;
  if (dtype == ckptbridge::kUInt8) return at::kByte;
  if (dtype == ckptbridge::kBool) return at::kBool;
#ifdef AT_FORALL_FLOAT8_TYPES  // libtorch 2.2 and later
  if (dtype == ckptbridge::kFloat8E4M3FN) return at::kFloat8_e4m3fn;
  if (dtype == ckptbridge::kFloat8E4M3FNUZ) return at::kFloat8_e4m3fnuz;
  if (dtype == ckptbridge::kFloat8E5M2) return at::kFloat8_e5m2;
  if (dtype == ckptbridge::kFloat8E5M2FNUZ) return at::kFloat8_e5m2fnuz;
#endif
  return std::nullopt;
}

at::ScalarType require_torch_type(Dtype dtype) {
  const auto type = torch_type(dtype);
  if (!type) {
    throw Error(CKB_UNSUPPORTED,
                "the installed libtorch does not compute with " + ckptbridge::dtype_name(dtype));
  }
  return *type;
}

// A 1-D tensor over borrowed elements, which nothing here writes to.
at::Tensor borrowed(Dtype dtype, std::uint64_t count, const void* values) {
  static const bool one_thread = [] {
    at::set_num_threads(1);  // the caller has threads of its own
    return true;
  }();
  static_cast<void>(one_thread);
  if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error(CKB_INVALID_ARGUMENT, std::to_string(count) + " elements are too many");
  }
  return at::from_blob(const_cast<void*>(values), {static_cast<std::int64_t>(count)},
                       at::TensorOptions().dtype(require_torch_type(dtype)));
}

at::Tensor as_doubles(Dtype dtype, std::uint64_t count, const void* values) {
  return borrowed(dtype, count, values).to(at::kDouble);
}

at::Tensor finite_ones(const at::Tensor& values) {
  return values.masked_select(at::isfinite(values));
}

std::uint64_t true_count(const at::Tensor& mask) {
  return static_cast<std::uint64_t>(mask.sum().item<std::int64_t>());
}

// A member of a table that grows: the caller may know an older one.
template <class Table>
void require_whole(const Table* table) {
  if (table->struct_size < sizeof(Table)) {
    throw Error(CKB_INVALID_ARGUMENT, "the result's struct_size is not set");
  }
}

ckb_status summarise(ckb_dtype dtype, std::uint64_t count, const void* values, ckb_summary* sum,
                     ckb_error* error) {
  return guard(error, [&] {
    require_whole(sum);
    const at::Tensor all = as_doubles(dtype, count, values);
    const at::Tensor finite = finite_ones(all);
    if (finite.numel() > 0) {
      const auto [least, most] = at::aminmax(finite);
      const bool is_first = sum->count == sum->nan_count + sum->infinite_count;
      const double min = least.item<double>();
      const double max = most.item<double>();
      sum->min = is_first ? min : std::min(sum->min, min);
      sum->max = is_first ? max : std::max(sum->max, max);
    }
    sum->nan_count += true_count(at::isnan(all));
    sum->infinite_count += true_count(at::isinf(all));
    sum->count += count;
  });
}

ckb_status compare(std::uint64_t count, ckb_dtype first_dtype, const void* first,
                   ckb_dtype second_dtype, const void* second, double rtol, double atol,
                   ckb_comparison* sum, ckb_error* error) {
  return guard(error, [&] {
    require_whole(sum);
    if (!(rtol >= 0) || !(atol >= 0)) {
      throw Error(CKB_INVALID_ARGUMENT, "tolerances are 0 or more, found rtol " +
                                            std::to_string(rtol) + " and atol " +
                                            std::to_string(atol));
    }
    const at::Tensor a = as_doubles(first_dtype, count, first);
    const at::Tensor b = as_doubles(second_dtype, count, second);
    // Where both types are one of integers, their own comparison tells even what float64 cannot.
    const bool exact =
        first_dtype == second_dtype && first_dtype.bits == 64 && first_dtype.code < 2;
    const at::Tensor differs =
        exact ? borrowed(first_dtype, count, first).ne(borrowed(second_dtype, count, second))
              : at::isclose(a, b, 0, 0, /*equal_nan=*/true).logical_not();
    const at::Tensor beyond = rtol == 0 && atol == 0
                                  ? differs
                                  : at::isclose(a, b, rtol, atol, /*equal_nan=*/true).logical_not();
    if (const std::uint64_t found = true_count(beyond); found > 0) {
      if (sum->beyond == 0) {
        const at::Tensor where = beyond.to(at::kByte).argmax();
        sum->first_beyond = sum->count + static_cast<std::uint64_t>(where.item<std::int64_t>());
      }
      sum->beyond += found;
    }
    sum->differing += true_count(differs);
    const at::Tensor distance = a.sub(b).abs();
    const at::Tensor finite = at::isfinite(distance);
    if (true_count(finite) > 0) {
      const at::Tensor counted = distance.masked_fill(finite.logical_not(), 0);
      const at::Tensor where = counted.argmax();
      const auto at = where.item<std::int64_t>();
      const double largest = counted.index_select(0, where.reshape({1})).item<double>();
      if (largest > sum->max_difference) {
        sum->max_difference = largest;
        sum->max_at = sum->count + static_cast<std::uint64_t>(at);
      }
      sum->sum_difference += counted.sum().item<double>();
      const at::Tensor relative =
          counted.div(b.abs()).masked_fill(b.eq(0).logical_or(finite.logical_not()), 0);
      sum->max_relative = std::max(sum->max_relative, relative.max().item<double>());
    }
    sum->count += count;
  });
}

ckb_status histogram(ckb_dtype dtype, std::uint64_t count, const void* values, double low,
                     double high, std::uint32_t bins, std::uint64_t* counts, ckb_error* error) {
  return guard(error, [&] {
    if (!(low < high) || !std::isfinite(low) || !std::isfinite(high) || bins == 0) {
      throw Error(CKB_INVALID_ARGUMENT, "a histogram of " + std::to_string(bins) + " bins from " +
                                            std::to_string(low) + " to " + std::to_string(high) +
                                            " has no parts");
    }
    const at::Tensor finite = finite_ones(as_doubles(dtype, count, values));
    const at::Tensor found = at::histc(finite, bins, low, high).to(at::kLong).contiguous();
    const auto* each = found.data_ptr<std::int64_t>();
    for (std::uint32_t i = 0; i < bins; ++i) counts[i] += static_cast<std::uint64_t>(each[i]);
  });
}

ckb_status quantiles(ckb_dtype dtype, std::uint64_t count, const void* values,
                     std::uint32_t fraction_count, const double* fractions, double* out,
                     ckb_error* error) {
  return guard(error, [&] {
    const at::Tensor finite = finite_ones(as_doubles(dtype, count, values));
    if (finite.numel() == 0) {
      std::fill_n(out, fraction_count, std::numeric_limits<double>::quiet_NaN());
      return;
    }
    const at::Tensor asked = as_doubles(ckptbridge::kFloat64, fraction_count, fractions);
    const at::Tensor found = at::quantile(finite, asked).contiguous();
    std::copy_n(found.data_ptr<double>(), fraction_count, out);
  });
}

const void* extension(const char* id) {
  static const ckb_compute table = {sizeof(ckb_compute), 0,        summarise, compare,
                                    histogram,           quantiles};
  return std::strcmp(id, CKB_COMPUTE) == 0 ? &table : nullptr;
}

}  // namespace

CKPTBRIDGE_EXTENSIONS(extension, "torch-compute", CKPTBRIDGE_VERSION)
