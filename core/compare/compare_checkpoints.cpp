#include "core/compare/compare_checkpoints.h"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/compare/compare_values.h"
#include "core/compare/expectations.h"
#include "core/execute/value_reader.h"

namespace ckptbridge {
namespace {

auto key_of(const TensorLook& tensor) {
  return std::tie(tensor.name, tensor.role, tensor.mp_rank, tensor.mp_world_size);
}

using ObjectKey = std::pair<std::string, std::int32_t>;

std::map<ObjectKey, const Object*> by_key(const Graph& graph) {
  std::map<ObjectKey, const Object*> result;
  for (const Object& object : graph.objects()) result[{object.name, object.mp_rank}] = &object;
  return result;
}

std::vector<std::byte> bytes_of(const Arena& arena, ckb_node value) {
  constexpr std::size_t kScratch = std::size_t{1} << 20;
  std::vector<std::byte> bytes(arena.nodes.size(value));
  ValueReader(arena, kScratch).read(value, 0, arena.nodes.count(value), bytes);
  return bytes;
}

// Objects are small: at most 64 MiB each, which the graph sees to.
bool are_equal(const Arena& a_arena, const Object& a, const Arena& b_arena, const Object& b) {
  if (a.kind != b.kind || a.data != b.data || a.storages.size() != b.storages.size()) return false;
  for (std::size_t i = 0; i < a.storages.size(); ++i) {
    if (form_of(a_arena.nodes, a.storages[i]) != form_of(b_arena.nodes, b.storages[i])) {
      return false;
    }
    if (bytes_of(a_arena, a.storages[i]) != bytes_of(b_arena, b.storages[i])) return false;
  }
  return true;
}

TensorDifference object_difference(const Object& object, const char* text) {
  TensorDifference difference;
  difference.kind = DifferenceKind::kObject;
  difference.name = object.name;
  difference.mp_rank = object.mp_rank;
  difference.text = text;
  return difference;
}

}  // namespace

TensorDifference difference_of(DifferenceKind kind, const TensorLook& tensor) {
  TensorDifference difference;
  difference.kind = kind;
  difference.name = tensor.name;
  difference.role = tensor.role;
  difference.mp_rank = tensor.mp_rank;
  difference.mp_world_size = tensor.mp_world_size;
  return difference;
}

std::string difference_name(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kExtra:
      return "extra";
    case DifferenceKind::kForm:
      return "form";
    case DifferenceKind::kElements:
      return "elements";
    case DifferenceKind::kDigest:
      return "digest";
    case DifferenceKind::kReplica:
      return "replica";
    case DifferenceKind::kObject:
      return "object";
    case DifferenceKind::kChecksum:
      return "checksum";
  }
  return "";
}

std::string line_of(const TensorDifference& difference) {
  std::string line = difference.name;
  if (!difference.role.empty() && difference.role != "param") line += " (" + difference.role + ")";
  if (difference.mp_world_size > 1) {
    line += fmt::format(", rank {} of {}", difference.mp_rank, difference.mp_world_size);
  }
  return line + ": " + difference.text;
}

std::vector<std::pair<std::size_t, std::size_t>> pair_up(const Looks& expected, const Looks& found,
                                                         Comparison& result, bool any_dtype) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const auto add = [&](TensorDifference difference) {
    const std::string wanted = difference.expected ? form_text(*difference.expected) : "nothing";
    difference.text = fmt::format(
        "{}, expected {}", difference.found ? form_text(*difference.found) : "missing", wanted);
    result.differences.push_back(std::move(difference));
  };
  std::size_t e = 0;
  std::size_t f = 0;
  while (e < expected.size() || f < found.size()) {
    const bool is_missing =
        f == found.size() || (e < expected.size() && key_of(*expected[e]) < key_of(*found[f]));
    const bool is_extra =
        !is_missing && (e == expected.size() || key_of(*found[f]) < key_of(*expected[e]));
    if (!is_missing && !is_extra && expected[e]->form.shape == found[f]->form.shape &&
        (any_dtype || expected[e]->form.dtype == found[f]->form.dtype)) {
      pairs.emplace_back(e++, f++);
      continue;
    }
    TensorDifference difference = is_missing ? difference_of(DifferenceKind::kMissing, *expected[e])
                                  : is_extra ? difference_of(DifferenceKind::kExtra, *found[f])
                                             : difference_of(DifferenceKind::kForm, *expected[e]);
    if (!is_extra) difference.expected = expected[e++]->form;
    if (!is_missing) difference.found = found[f++]->form;
    add(std::move(difference));
  }
  return pairs;
}

Comparison compare_tensors(const Arena& expected_arena, const std::vector<LogicalTensor>& expected,
                           const Arena& found_arena, const std::vector<LogicalTensor>& found,
                           const Buffers& buffers, const Feedback& feedback) {
  Comparison result;
  const auto numbers = pair_up(looks_of(expected), looks_of(found), result);
  std::vector<ValuePair> pairs;
  pairs.reserve(numbers.size());
  for (const auto& [e, f] : numbers) pairs.push_back({expected[e].value, found[f].value});
  const auto values =
      compare_values(expected_arena, found_arena, pairs, buffers, "compare", feedback,
                     [&](std::size_t i) { return expected[numbers[i].first].name; });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const LogicalTensor& tensor = expected[numbers[i].first];
    ++result.tensors;
    result.bytes += expected_arena.nodes.size(tensor.value);
    if (values[i].count == 0) continue;
    TensorDifference difference = difference_of(DifferenceKind::kElements, tensor);
    difference.expected = difference.found = tensor.form;
    difference.count = values[i].count;
    difference.text = difference_text(values[i], expected_arena.nodes, pairs[i]);
    result.differences.push_back(std::move(difference));
  }
  return result;
}

void compare_objects(const Graph& expected, const Graph& found,
                     std::span<const ObjectDrop> left_out, Comparison& result) {
  const auto expected_objects = by_key(expected);
  const auto found_objects = by_key(found);
  std::map<std::string, std::string> reasons;
  for (const ObjectDrop& drop : left_out) reasons[drop.name] = drop.reason;
  std::set<std::string> not_compared;
  for (const auto& [key, object] : expected_objects) {
    const auto other = found_objects.find(key);
    const auto reason = reasons.find(object->name);
    if (reason != reasons.end()) {
      if (other != found_objects.end())
        not_compared.insert(fmt::format("{}: {}", object->name, reason->second));
    } else if (other == found_objects.end()) {
      result.differences.push_back(object_difference(*object, "the object is missing"));
    } else {
      ++result.objects;
      if (!are_equal(expected.arena(), *object, found.arena(), *other->second)) {
        result.differences.push_back(object_difference(*object, "the object differs"));
      }
    }
  }
  for (const auto& [key, object] : found_objects) {
    if (!expected_objects.contains(key)) {
      not_compared.insert(fmt::format("{}: made by the writer", object->name));
    }
  }
  result.not_compared.insert(result.not_compared.end(), not_compared.begin(), not_compared.end());
}

void compare_checksums(const Arena& arena, Comparison& result) {
  for (const auto& [place, wrong] : arena.checksums.wrong()) {
    TensorDifference difference;
    difference.kind = DifferenceKind::kChecksum;
    difference.name = wrong.file;
    difference.text = wrong.text;
    result.differences.push_back(std::move(difference));
  }
}

void compare_replicas(const Arena& arena, const Buffers& buffers, const Feedback& feedback,
                      Comparison& result) {
  for (const auto& [number, values] : find_unequal(arena, buffers, feedback)) {
    const Expectation& expectation = arena.expectations[number];
    TensorDifference difference;
    difference.kind = DifferenceKind::kReplica;
    difference.name = expectation.what;
    difference.expected = difference.found = form_of(arena.nodes, expectation.kept);
    difference.count = values.count;
    difference.text = difference_text(values, arena.nodes, {expectation.kept, expectation.other});
    result.differences.push_back(std::move(difference));
  }
}

}  // namespace ckptbridge
