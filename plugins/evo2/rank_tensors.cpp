#include "plugins/evo2/rank_tensors.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::evo2 {
namespace {

using plugin::ConstGraph;
using plugin::ObjectView;
using plugin::TensorView;

constexpr std::size_t kFew = 8;

// "a, b and 14 more"
template <class T>
std::string some_of(const std::vector<T>& list) {
  if (list.size() <= kFew) return fmt::format("{}", fmt::join(list, ", "));
  return fmt::format("{} and {} more", fmt::join(list.begin(), list.begin() + kFew, ", "),
                     list.size() - kFew);
}

std::string ranks_text(const std::vector<std::size_t>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", some_of(ranks));
}

// A tensor as it is found, with gaps where ranks lack it.
struct Found {
  std::map<std::size_t, Shard> shards;
  std::uint32_t position = 0;  // of rank 0's
};

// "sequential.2.norm.weight is missing on rank 3"; "" when every rank has it.
std::string gap_text(const std::string& name, const Found& found, std::size_t world) {
  if (found.shards.size() == world) return "";
  std::vector<std::size_t> present;
  present.reserve(found.shards.size());
  for (const auto& entry : found.shards) present.push_back(entry.first);
  if (!found.shards.contains(0)) return fmt::format("{} is only on {}", name, ranks_text(present));
  std::vector<std::size_t> missing;
  for (std::size_t rank = 0; rank < world && missing.size() <= kFew; ++rank) {
    if (!found.shards.contains(rank)) missing.push_back(rank);
  }
  return missing.size() > kFew
             ? fmt::format("{} is missing on {} of {} ranks", name, world - present.size(), world)
             : fmt::format("{} is missing on {}", name, ranks_text(missing));
}

std::string value_text(const ObjectView& object) {
  torch_file::Values values;
  const std::string name(object.name);
  const auto root = torch_file::unpickle(values, object.data, name).root;
  const auto number = values.as_int(root);
  return number ? std::to_string(*number) : torch_file::describe(values, root);
}

std::string form_text(const Shard& shard) {
  return fmt::format("[{}] of {}", fmt::join(shard.shape, ", "), dtype_name(shard.dtype));
}

void require_same_form(const RankTensor& tensor) {
  const Shard& first = tensor.shards.front();
  for (std::size_t rank = 1; rank < tensor.shards.size(); ++rank) {
    const Shard& shard = tensor.shards[rank];
    if (shard.shape == first.shape && shard.dtype == first.dtype) continue;
    throw Error(CKB_CORRUPT,
                fmt::format("{}: is {} on rank {}, but {} on rank 0; the rank files do not belong "
                            "together",
                            tensor.name, form_text(shard), rank, form_text(first)),
                {.tensor = tensor.name});
  }
}

}  // namespace

bool is_extra_state(std::string_view name) { return name.ends_with("_extra_state"); }

std::vector<ObjectView> objects_of(const ConstGraph& in) {
  std::vector<ObjectView> result;
  for (std::uint64_t i = 0; i < in.object_count(); ++i) result.push_back(in.object(i));
  return result;
}

std::vector<RankTensor> tensors_by_name(const ConstGraph& in) {
  std::map<std::pair<std::string, std::string>, Found> by_name;
  std::size_t world = 1;
  for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
    const TensorView tensor = in.tensor(i);
    if (i == 0) world = static_cast<std::size_t>(tensor.mp_world_size);
    if (static_cast<std::size_t>(tensor.mp_world_size) != world) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: is of {} ranks, other tensors are of {}", tensor.name,
                              tensor.mp_world_size, world),
                  {.tensor = std::string(tensor.name)});
    }
    Found& found = by_name[{std::string(tensor.name), std::string(tensor.role)}];
    found.shards[static_cast<std::size_t>(tensor.mp_rank)] = {
        tensor.value, {tensor.shape.begin(), tensor.shape.end()}, tensor.dtype, tensor.flags};
    if (tensor.mp_rank == 0) found.position = tensor.position;
  }
  std::vector<std::string> gaps;
  for (const auto& [name, found] : by_name) {
    std::string gap = gap_text(name.first, found, world);
    if (!gap.empty()) gaps.push_back(std::move(gap));
  }
  if (!gaps.empty()) {
    throw Error(CKB_CORRUPT,
                fmt::format("the ranks do not hold the same tensors: {}", some_of(gaps)));
  }

  std::vector<std::pair<std::uint32_t, RankTensor>> ordered;
  for (auto& [name, found] : by_name) {
    RankTensor tensor{name.first, name.second, {}};
    for (auto& entry : found.shards) tensor.shards.push_back(std::move(entry.second));
    require_same_form(tensor);
    ordered.emplace_back(found.position, std::move(tensor));
  }
  std::sort(ordered.begin(), ordered.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RankTensor> result;
  result.reserve(ordered.size());
  for (auto& entry : ordered) result.push_back(std::move(entry.second));
  return result;
}

void require_known(const ConstGraph& in, const NameTable& names) {
  std::set<std::string> unknown;
  for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
    const TensorView tensor = in.tensor(i);
    if (names.find(tensor.name) == nullptr) unknown.emplace(tensor.name);
  }
  for (const ObjectView& object : objects_of(in)) {
    if (is_extra_state(object.name) || parameter_name(object.name).empty()) continue;
    unknown.insert(fmt::format("{} (no tensor)", object.name));
  }
  if (unknown.empty()) return;
  throw Error(
      CKB_UNSUPPORTED,
      fmt::format("{} {} not in the table of Evo2's parameters, so that nothing says how to "
                  "split {} over ranks: {}",
                  unknown.size(), unknown.size() == 1 ? "tensor is" : "tensors are",
                  unknown.size() == 1 ? "it" : "them", fmt::join(unknown, ", ")));
}

void require_same_step(const ConstGraph& in) {
  std::map<std::string_view, ObjectView> first;
  for (const ObjectView& object : objects_of(in)) {
    if (object.name != "iteration" && object.name != "global_steps") continue;
    const auto [it, added] = first.emplace(object.name, object);
    if (added || std::ranges::equal(it->second.data, object.data)) continue;
    throw Error(
        CKB_CORRUPT,
        fmt::format("the ranks are of different steps: {} is {} on rank {}, but {} on rank {}",
                    object.name, value_text(object), object.mp_rank, value_text(it->second),
                    it->second.mp_rank),
        {.hint = "take rank files that were saved together"});
  }
}

}  // namespace ckptbridge::evo2
