// Two checkpoints, tensor by tensor: what one has and the other should have.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ckptbridge/draft/compute.h"
#include "core/execute/workers.h"
#include "core/graph/logical_tensors.h"
#include "core/plan/buffers.h"

namespace ckptbridge {

enum class DifferenceKind {
  kMissing,
  kExtra,
  kForm,
  kElements,
  kDigest,
  kReplica,
  kObject,
  kChecksum
};
std::string difference_name(DifferenceKind kind);  // "missing"

struct TensorDifference {
  DifferenceKind kind = DifferenceKind::kMissing;
  std::string name;  // of the tensor or object
  std::string role;  // "" for what is no tensor
  std::int32_t mp_rank = 0;
  std::int32_t mp_world_size = 1;
  std::optional<Form> expected;  // of a tensor that is there
  std::optional<Form> found;
  std::string text;         // "3 of 4096 elements differ, first [0, 5]: 1.25 against 1.2539"
  std::uint64_t count = 0;  // elements that differ
  std::optional<ckb_comparison> numbers = {};  // where values were compared within a tolerance
};

// "sequential.2.mlp.w1.weight, rank 1 of 2: 3 of 4096 elements differ, …"
std::string line_of(const TensorDifference& difference);

struct Comparison {
  std::uint64_t tensors = 0;  // in both, and of one form: those whose bytes were compared
  std::uint64_t objects = 0;  // in both
  std::uint64_t bytes = 0;    // of those tensors
  std::vector<TensorDifference> differences;
  std::vector<TensorDifference> within_tolerance;  // and so no differences
  std::vector<std::string> not_compared;           // objects, each with the reason
};

// Pairs what has the same name, role and rank in two sorted lists. Returns the numbers of those
// pairs whose forms, or with any_dtype only shapes, are equal. All others become differences.
using Looks = std::vector<const TensorLook*>;
std::vector<std::pair<std::size_t, std::size_t>> pair_up(const Looks& expected, const Looks& found,
                                                         Comparison& result,
                                                         bool any_dtype = false);
template <class Derived>
Looks looks_of(const std::vector<Derived>& tensors) {
  Looks result;
  for (const TensorLook& tensor : tensors) result.push_back(&tensor);
  return result;
}
TensorDifference difference_of(DifferenceKind kind, const TensorLook& tensor);

// Compares two sorted lists of tensors, bytes included.
Comparison compare_tensors(const Arena& expected_arena, const std::vector<LogicalTensor>& expected,
                           const Arena& found_arena, const std::vector<LogicalTensor>& found,
                           const Buffers& buffers, const Feedback& feedback);

// Adds the objects. An object that was left out with a reason may be missing or made anew. Such an
// object, and one that is only found, are named as not compared.
void compare_objects(const Graph& expected, const Graph& found,
                     std::span<const ObjectDrop> left_out, Comparison& result);

// Adds the checksums of an arena's sources that are wrong. checksums.collect() must have been
// called.
void compare_checksums(const Arena& arena, Comparison& result);

// Adds the expectations of an arena that do not hold: replicas that differ among ranks.
void compare_replicas(const Arena& arena, const Buffers& buffers, const Feedback& feedback,
                      Comparison& result);

}  // namespace ckptbridge
