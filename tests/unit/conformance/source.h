// Tensors that a test spells out: what is stored of them, and what their elements are.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"

namespace ckptbridge {

// A tensor as a reader finds it: a view of stored bytes, of one model-parallel rank.
struct SourceTensor {
  std::string name;
  Dtype dtype = kFloat32;
  std::vector<std::int64_t> shape = {};
  std::string stored = {};                 // all bytes of its storage
  std::vector<std::int64_t> strides = {};  // in elements; none: contiguous
  std::int64_t offset = 0;                 // of the first element, in elements
  std::string tied_to = {};                // the tensor whose value this is, too; else ""
  std::int32_t mp_rank = 0;
  std::int32_t mp_world_size = 1;
  std::string role = "param";

  bool is_contiguous() const { return strides.empty() && offset == 0; }
  // The bytes of its elements, row-major. A tied tensor has those of the other.
  std::string content() const;
};

// What a format may or may not hold, as a source of few tensors. Where a format refuses it, it is
// for the first of them.
struct Case {
  std::string name;  // words with underscores
  std::vector<SourceTensor> tensors;
};

inline void PrintTo(const Case& source, std::ostream* out) { *out << source.name; }

// A case for each element type, and those of forms, names, ranks and roles.
const std::vector<Case>& cases();

}  // namespace ckptbridge
