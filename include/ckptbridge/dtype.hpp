// Element types: names and sizes of the ckb_dtype values that checkpoints use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ckptbridge/plugin.h"

// In the global namespace, as ckb_dtype is, so that templates find it.
constexpr bool operator==(ckb_dtype a, ckb_dtype b) noexcept {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

namespace ckptbridge {

using Dtype = ckb_dtype;

inline constexpr Dtype kFloat64{2, 64, 1};
inline constexpr Dtype kFloat32{2, 32, 1};
inline constexpr Dtype kFloat16{2, 16, 1};
inline constexpr Dtype kBFloat16{4, 16, 1};
inline constexpr Dtype kInt64{0, 64, 1};
inline constexpr Dtype kInt32{0, 32, 1};
inline constexpr Dtype kInt16{0, 16, 1};
inline constexpr Dtype kInt8{0, 8, 1};
inline constexpr Dtype kUInt64{1, 64, 1};
inline constexpr Dtype kUInt32{1, 32, 1};
inline constexpr Dtype kUInt16{1, 16, 1};
inline constexpr Dtype kUInt8{1, 8, 1};
inline constexpr Dtype kBool{6, 8, 1};
inline constexpr Dtype kComplex64{5, 64, 1};
inline constexpr Dtype kComplex128{5, 128, 1};
// The 8-bit floats; codes of DLPack 1.1 (dlpack.h, DLDataTypeCode).
inline constexpr Dtype kFloat8E4M3FN{10, 8, 1};
inline constexpr Dtype kFloat8E4M3FNUZ{11, 8, 1};
inline constexpr Dtype kFloat8E5M2{12, 8, 1};
inline constexpr Dtype kFloat8E5M2FNUZ{13, 8, 1};
inline constexpr Dtype kFloat8E8M0FNU{14, 8, 1};

// Bytes of one element; 0 for a type whose elements are no whole number of bytes.
constexpr std::uint64_t item_size(Dtype dtype) noexcept {
  const std::uint64_t bits = std::uint64_t{dtype.bits} * dtype.lanes;
  return bits % 8 == 0 ? bits / 8 : 0;
}

namespace detail {

struct DtypeName {
  Dtype dtype;
  std::string_view name;
};
// PyTorch's names.
inline constexpr DtypeName kDtypeNames[] = {
    {kFloat64, "float64"},
    {kFloat32, "float32"},
    {kFloat16, "float16"},
    {kBFloat16, "bfloat16"},
    {kInt64, "int64"},
    {kInt32, "int32"},
    {kInt16, "int16"},
    {kInt8, "int8"},
    {kUInt64, "uint64"},
    {kUInt32, "uint32"},
    {kUInt16, "uint16"},
    {kUInt8, "uint8"},
    {kBool, "bool"},
    {kComplex64, "complex64"},
    {kComplex128, "complex128"},
    {kFloat8E4M3FN, "float8_e4m3fn"},
    {kFloat8E4M3FNUZ, "float8_e4m3fnuz"},
    {kFloat8E5M2, "float8_e5m2"},
    {kFloat8E5M2FNUZ, "float8_e5m2fnuz"},
    {kFloat8E8M0FNU, "float8_e8m0fnu"},
};

}  // namespace detail

// PyTorch's name, "bfloat16"; "dtype(code,bits,lanes)" for one that has none here.
inline std::string dtype_name(Dtype dtype) {
  for (const auto& [known, name] : detail::kDtypeNames) {
    if (known == dtype) return std::string(name);
  }
  return "dtype(" + std::to_string(dtype.code) + "," + std::to_string(dtype.bits) + "," +
         std::to_string(dtype.lanes) + ")";
}

// The inverse for known names; false, and dtype untouched, for others.
inline bool parse_dtype(std::string_view name, Dtype& dtype) {
  for (const auto& [known, known_name] : detail::kDtypeNames) {
    if (known_name == name) {
      dtype = known;
      return true;
    }
  }
  return false;
}

}  // namespace ckptbridge
