#include "plugins/deepspeed/shard_state.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plugins/torch_file/lookup.h"

namespace ckptbridge::deepspeed {
namespace {

namespace tf = torch_file;
using plugin::Shape;

constexpr std::int64_t kMostRanks = 999'999;  // the digits in names of files

// A number as it is, or wrapped in an enum: ZeroStageEnum(3).
std::optional<std::int64_t> number(const tf::Values& values, tf::ValueId id) {
  if (values.kind(id) == tf::Kind::kObject) {
    const auto args = values.elements(values.object(id).args);
    if (args.size() == 1) return values.as_int(args[0]);
  }
  return values.as_int(id);
}

tf::ValueId optimizer_state(const StateFile& file) {
  return tf::require(file.values(), file.root(), "optimizer_state_dict", file.name());
}

Shape shape_of(const StateFile& file, const std::string& name, tf::ValueId value) {
  auto shape = tf::int_list(file.values(), value);
  if (!shape) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: the shape of {} is {}, expected a list of sizes", file.name(),
                            name, tf::describe(file.values(), value)),
                {.tensor = name});
  }
  return std::move(*shape);
}

std::vector<ParamShape> shapes_in(const StateFile& file, tf::ValueId dict, const char* key) {
  std::vector<ParamShape> shapes;
  const std::string where = file.name() + ": " + key;
  for (const tf::Item& item : tf::require_items(file.values(), dict, where)) {
    std::string name = tf::require_string(file.values(), item.key, where);
    Shape shape = shape_of(file, name, item.value);
    shapes.push_back({std::move(name), std::move(shape)});
  }
  return shapes;
}

// The items of a dict at a key; none where it is missing or None.
std::vector<tf::Item> items_at(const StateFile& file, const char* key) {
  const auto found = tf::find(file.values(), file.root(), key);
  if (!found || *found == tf::Values::none()) return {};
  return tf::require_items(file.values(), *found, file.name() + ": " + key);
}

tf::Tensor require_flat(const StateFile& file, tf::ValueId value, const std::string& what) {
  tf::Tensor tensor = tf::require_tensor(file.values(), value, file.name() + ": " + what);
  if (tensor.shape.size() != 1 || !tensor.is_contiguous()) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} has the shape [{}], expected one dimension without gaps",
                            file.name(), what, fmt::join(tensor.shape, ", ")));
  }
  return tensor;
}

void require_ranks(std::int64_t count, const std::string& where) {
  if (count >= 1 && count <= kMostRanks) return;
  throw Error(CKB_CORRUPT, fmt::format("{} is {}, expected a number of ranks", where, count));
}

std::string shape_text(const ParamShape& param) {
  return fmt::format("[{}]", fmt::join(param.shape, ", "));
}

}  // namespace

std::int64_t partition_count_of(const StateFile& optimizer) {
  const tf::Values& values = optimizer.values();
  const tf::ValueId state = optimizer_state(optimizer);
  const auto stage = tf::find(values, state, "zero_stage");
  if (const auto said = stage ? number(values, *stage) : std::nullopt; said && *said != 3) {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: is of ZeRO stage {} (zero_stage), expected 3", optimizer.name(), *said),
        {.hint = "--from zero1 reads the model files of stages 0 to 2"});
  }
  const std::int64_t count =
      tf::require_int(values, tf::require(values, state, "partition_count", optimizer.name()),
                      optimizer.name() + ": partition_count");
  require_ranks(count, optimizer.name() + ": partition_count");
  return count;
}

std::optional<std::int64_t> mp_world_size_of(const StateFile& model) {
  const auto found = tf::find(model.values(), model.root(), "mp_world_size");
  if (!found || *found == tf::Values::none()) return std::nullopt;
  const std::int64_t size =
      tf::require_int(model.values(), *found, model.name() + ": mp_world_size");
  require_ranks(size, model.name() + ": mp_world_size");
  return size;
}

Groups param_shapes_of(const StateFile& model) {
  const tf::Values& values = model.values();
  const tf::ValueId shapes = tf::require(values, model.root(), "param_shapes", model.name());
  if (tf::is_mapping(values, shapes)) return {shapes_in(model, shapes, "param_shapes")};
  if (values.kind(shapes) != tf::Kind::kList) {
    throw Error(CKB_CORRUPT, fmt::format("{}: param_shapes is {}, expected a list", model.name(),
                                         tf::describe(values, shapes)));
  }
  Groups groups;
  for (const tf::ValueId group : values.elements(shapes)) {
    groups.push_back(shapes_in(model, group, "param_shapes"));
  }
  return groups;
}

std::vector<ParamShape> frozen_shapes_of(const StateFile& model) {
  const auto found = tf::find(model.values(), model.root(), "frozen_param_shapes");
  if (!found || *found == tf::Values::none()) return {};
  return shapes_in(model, *found, "frozen_param_shapes");
}

std::vector<tf::Tensor> frozen_fragments_of(const StateFile& model,
                                            const std::vector<ParamShape>& shapes,
                                            std::int64_t partitions) {
  std::vector<tf::Tensor> fragments;
  if (shapes.empty()) return fragments;
  const tf::ValueId dict =
      tf::require(model.values(), model.root(), "frozen_param_fragments", model.name());
  std::unordered_map<std::string, tf::ValueId> by_name;
  const std::string where = model.name() + ": frozen_param_fragments";
  for (const tf::Item& item : tf::require_items(model.values(), dict, where)) {
    by_name[tf::require_string(model.values(), item.key, where)] = item.value;
  }
  for (const ParamShape& param : shapes) {
    const auto value = by_name.find(param.name);
    if (value == by_name.end()) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: {} is in frozen_param_shapes, but not in "
                              "frozen_param_fragments",
                              model.name(), param.name),
                  {.tensor = param.name});
    }
    fragments.push_back(require_flat(model, value->second, param.name));
    const std::int64_t size = FlatGroup({param}, partitions).size();
    if (fragments.back().count() != static_cast<std::uint64_t>(size)) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: the fragment of {} has {} elements, expected {}: {} on each of "
                              "{} ranks",
                              model.name(), param.name, fragments.back().count(), size,
                              shape_text(param), partitions),
                  {.tensor = param.name});
    }
  }
  return fragments;
}

std::vector<std::pair<std::string, std::string>> shared_params_of(const StateFile& model) {
  std::vector<std::pair<std::string, std::string>> shared;
  const std::string where = model.name() + ": shared_params";
  for (const tf::Item& item : items_at(model, "shared_params")) {
    shared.emplace_back(tf::require_string(model.values(), item.key, where),
                        tf::require_string(model.values(), item.value, where));
  }
  return shared;
}

std::vector<tf::Tensor> flat_groups_of(const StateFile& optimizer) {
  const tf::Values& values = optimizer.values();
  const tf::ValueId groups =
      tf::require(values, optimizer_state(optimizer), "fp32_flat_groups", optimizer.name());
  if (values.kind(groups) != tf::Kind::kList && values.kind(groups) != tf::Kind::kTuple) {
    throw Error(CKB_CORRUPT, fmt::format("{}: fp32_flat_groups is {}, expected a list",
                                         optimizer.name(), tf::describe(values, groups)));
  }
  std::vector<tf::Tensor> flat;
  for (const tf::ValueId group : values.elements(groups)) {
    flat.push_back(require_flat(optimizer, group, fmt::format("flat group {}", flat.size())));
    if (flat.back().dtype == flat.front().dtype) continue;
    throw Error(CKB_CORRUPT,
                fmt::format("{}: flat group {} is {}, but flat group 0 is {}", optimizer.name(),
                            flat.size() - 1, dtype_name(flat.back().dtype),
                            dtype_name(flat.front().dtype)));
  }
  return flat;
}

void require_agreement(Agreement& agreement, const StateFile& file) {
  const tf::Values& values = file.values();
  for (const char* key : {"ds_version", "global_steps", "dp_world_size", "mp_world_size"}) {
    const auto found = tf::find(values, file.root(), key);
    if (!found || *found == tf::Values::none()) continue;
    const auto text = values.as_string(*found);
    const auto count = values.as_int(*found);
    agreement.require(key,
                      text    ? std::string(*text)
                      : count ? std::to_string(*count)
                              : tf::describe(values, *found),
                      file.name());
  }
}

void require_same_shapes(const StateFile& file, const Groups& groups, const std::string& other,
                         const Groups& expected) {
  if (groups == expected) return;
  const auto fail = [&](const std::string& mine, const std::string& theirs) {
    throw Error(CKB_CORRUPT, fmt::format("{}: param_shapes has {}, but that of {} has {}; the "
                                         "files are not of one checkpoint",
                                         file.name(), mine, other, theirs));
  };
  if (groups.size() != expected.size()) {
    fail(fmt::format("{} groups", groups.size()), fmt::format("{}", expected.size()));
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t i = 0; i < std::min(groups[g].size(), expected[g].size()); ++i) {
      const ParamShape& a = groups[g][i];
      const ParamShape& b = expected[g][i];
      if (a == b) continue;
      fail(fmt::format("{} {}", a.name, shape_text(a)),
           fmt::format("{} {}", b.name, shape_text(b)));
    }
    if (groups[g].size() != expected[g].size()) {
      fail(fmt::format("{} parameters in group {}", groups[g].size(), g),
           fmt::format("{}", expected[g].size()));
    }
  }
}

}  // namespace ckptbridge::deepspeed
