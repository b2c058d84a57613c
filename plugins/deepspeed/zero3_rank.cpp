#include "plugins/deepspeed/zero3_rank.h"

#include <fmt/format.h>

#include "plugins/state_dict/family.h"
#include "plugins/torch_file/lookup.h"

namespace ckptbridge::deepspeed {
namespace {

namespace tf = torch_file;

constexpr char kOtherDataRanks[] = "buffers and training state of data-parallel ranks other than 0";
constexpr char kCopies[] = "half-precision copies of parameters, whose masters are taken";
constexpr char kFrozen[] = "frozen parameters, as asked (--exclude-frozen-parameters)";

}  // namespace

void RankBuilder::add_model_file(std::unique_ptr<StateFile> file, Agreement& agreement) {
  const std::string name = file->name();
  about({.file = name}, [&] { read_model_file(std::move(file), agreement); });
}

void RankBuilder::read_model_file(std::unique_ptr<StateFile> file, Agreement& agreement) {
  require_agreement(agreement, *file);
  const Groups groups = param_shapes_of(*file);
  const std::vector<ParamShape> frozen = frozen_shapes_of(*file);
  const bool is_first = first_ == nullptr;
  if (is_first) {
    groups_ = groups;
    frozen_ = frozen;
    fragments_.resize(frozen.size());
  } else {
    require_same_shapes(*file, groups, first_->name(), groups_);
    require_same_shapes(*file, {frozen}, first_->name(), {frozen_});
  }
  if (options_.exclude_frozen) {
    if (const auto dict = tf::find(file->values(), file->root(), "frozen_param_fragments")) {
      file->leave_out(*dict, kFrozen);
    }
  } else {
    add_fragments(*file);
  }
  if (is_first) {
    first_ = std::move(file);
  } else {
    file->drop_rest(kOtherDataRanks);
  }
}

void RankBuilder::add_optimizer_file(StateFile& file, Agreement& agreement) {
  about({.file = file.name()}, [&] { read_optimizer_file(file, agreement); });
}

void RankBuilder::read_optimizer_file(StateFile& file, Agreement& agreement) {
  require_agreement(agreement, file);
  agreement.require("partition_count (dp_world_size)", std::to_string(partition_count_of(file)),
                    file.name());
  const std::vector<tf::Tensor> flat = flat_groups_of(file);
  agreement.require("the number of flat groups", std::to_string(flat.size()), file.name());
  if (optimizers_.empty()) {
    about({.file = first_->name()}, [&] { make_groups(flat.size()); });
  }
  optimizers_.push_back(file.name());
  for (std::size_t i = 0; i < flat.size(); ++i) {
    FlatTensors& tensors = flat_[flat_.size() == flat.size() ? i : 0];
    require_size(file, flat, i);
    agreement.require(fmt::format("the dtype of flat group {}", i), dtype_name(flat[i].dtype),
                      file.name());
    tensors.nodes.push_back(file.extent(flat[i]));
    tensors.dtype = flat[i].dtype;
    if (flat[i].requires_grad) tensors.flags |= CKB_REQUIRES_GRAD;
  }
  file.drop_rest(kOptimizerState);
}

std::string_view RankBuilder::finish(
    const std::vector<std::pair<std::string, std::string>>& shared) {
  for (const auto& group : groups_) {
    for (const ParamShape& param : group) known_.insert(param.name);
  }
  for (const ParamShape& param : frozen_) known_.insert(param.name);
  for (const auto& [name, kept] : shared) known_.insert(name);
  about({.file = first_->name()}, [&] { add_module(); });
  add_frozen();
  for (std::size_t i = 0; i < layouts_.size(); ++i) add_group(layouts_[i], flat_[i], i);
  add_shared(shared);
  about({.file = first_->name()}, [&] { add_objects(); });
  first_->drop_rest("storages that no tensor shows");
  std::string_view names;
  for (const auto& [name, param] : params_) {
    if (names.empty()) names = ckptbridge::state_dict::family_of(name);
  }
  return names;
}

void RankBuilder::add_fragments(StateFile& file) {
  const auto fragments = frozen_fragments_of(file, frozen_, partitions_);
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    FlatTensors& frozen = fragments_[i];
    if (frozen.nodes.empty()) frozen.dtype = fragments[i].dtype;
    if (frozen.dtype != fragments[i].dtype) {
      throw Error(
          CKB_CORRUPT,
          fmt::format("{}: {} is {}, but {} in {}", file.name(), frozen_[i].name,
                      dtype_name(fragments[i].dtype), dtype_name(frozen.dtype), first_->name()),
          {.file = file.name(), .tensor = frozen_[i].name});
    }
    frozen.nodes.push_back(file.extent(fragments[i]));
    if (fragments[i].requires_grad) frozen.flags |= CKB_REQUIRES_GRAD;
  }
}

void RankBuilder::make_groups(std::size_t flat_tensors) {
  try {
    if (groups_.size() == flat_tensors) {
      for (const auto& group : groups_) layouts_.emplace_back(group, partitions_);
    } else {
      std::vector<ParamShape> all;
      for (const auto& group : groups_) all.insert(all.end(), group.begin(), group.end());
      layouts_.emplace_back(std::move(all), partitions_);
    }
  } catch (const Error& error) {
    throw error.retold(error.code(), first_->name() + ": " + error.what());
  }
  flat_.resize(layouts_.size());
}

void RankBuilder::require_size(const StateFile& file, const std::vector<tf::Tensor>& flat,
                               std::size_t i) const {
  std::uint64_t count = flat[i].count();
  std::string what = fmt::format("flat group {} has", i);
  if (layouts_.size() != flat.size()) {
    if (i > 0) return;
    count = 0;
    for (const tf::Tensor& tensor : flat) count += tensor.count();
    what = fmt::format("its {} flat groups have", flat.size());
  }
  const auto need =
      static_cast<std::uint64_t>(layouts_[layouts_.size() == flat.size() ? i : 0].size());
  if (count == need) return;
  throw Error(CKB_CORRUPT,
              fmt::format("{}: {} {} elements, the parameters need {} (param_shapes "
                          "of {}, spread over {} ranks)",
                          file.name(), what, count, need, first_->name(), partitions_));
}

void RankBuilder::add_tensor(const std::string& name, const char* role, const Param& param) {
  out_.add_tensor({.name = name,
                   .role = role,
                   .value = param.value,
                   .mp_rank = rank_,
                   .mp_world_size = mp_world_,
                   .flags = param.flags},
                  param.shape, param.dtype);
}

void RankBuilder::add_module() {
  const tf::Values& values = first_->values();
  const std::string where = first_->name() + ": module";
  const tf::ValueId module = tf::require(values, first_->root(), "module", first_->name());
  std::vector<std::pair<std::string, tf::ValueId>> objects;
  for (const tf::Item& item : tf::require_items(values, module, where)) {
    const std::string name = tf::require_string(values, item.key, where);
    const auto tensor = name.ends_with("_extra_state")
                            ? std::nullopt
                            : tf::read_tensor(values, item.value, where + ": " + name);
    if (!tensor) {
      objects.emplace_back(name, item.value);
    } else if (known_.contains(name)) {
      first_->leave_out(item.value, kCopies);
    } else if (tensor->count() > 0) {
      add_buffer(name, *tensor);
    } else {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: {} is empty, as parameters are, but no flat group, frozen "
                              "parameter or shared parameter has this name",
                              where, name),
                  {.tensor = name});
    }
  }
  for (const auto& [name, value] : objects) first_->add_object(name, value, rank_);
}

void RankBuilder::add_buffer(const std::string& name, const tf::Tensor& tensor) {
  Param buffer{first_->extent(tensor), tensor.shape, tensor.dtype, 0};
  const Dtype from = tensor.dtype;
  if (from == kFloat64 || from == kFloat16 || from == kBFloat16) {
    buffer.value = out_.cast(buffer.value, kFloat32);
    buffer.dtype = kFloat32;
  }
  add_tensor(name, "buffer", buffer);
}

void RankBuilder::add_frozen() {
  if (options_.exclude_frozen) return;
  for (std::size_t i = 0; i < frozen_.size(); ++i) {
    add_group(FlatGroup({frozen_[i]}, partitions_), fragments_[i], std::nullopt);
  }
}

void RankBuilder::add_group(const FlatGroup& group, const FlatTensors& flat,
                            std::optional<std::size_t> number) {
  const ckb_node matrix = group.matrix(out_, flat.nodes);
  for (std::size_t i = 0; i < group.params().size(); ++i) {
    const ParamShape& shape = group.params()[i];
    const Param param{group.value(out_, matrix, i), shape.shape, flat.dtype, flat.flags};
    group.drop_padding(out_, matrix, i);
    params_[shape.name] = param;
    add_tensor(shape.name, "param", param);
    if (options_.explain) out_.note(explanation(shape, group.fragment(i), number));
  }
}

std::string RankBuilder::explanation(const ParamShape& param, const Fragment& fragment,
                                     std::optional<std::size_t> group) const {
  std::string shape;
  for (const std::int64_t size : param.shape) {
    shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
  }
  const std::string place =
      group ? fmt::format(
                  "from element {} of flat group {}, in {} and the files of the other "
                  "ranks",
                  fragment.begin, *group, optimizers_.front())
            : fmt::format("frozen, in {} and the files of the other ranks", first_->name());
  return fmt::format(
      "{} (model-parallel rank {}): [{}], {} elements: {} pieces of {}, {} of them "
      "padding; {}",
      param.name, rank_, shape, fragment.count, partitions_, fragment.size, fragment.padding,
      place);
}

void RankBuilder::add_shared(const std::vector<std::pair<std::string, std::string>>& shared) {
  for (const auto& [name, kept] : shared) {
    const auto param = params_.find(kept);
    if (param != params_.end()) {
      add_tensor(name, "param", param->second);
    } else if (!options_.exclude_frozen) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: {} shares {} (shared_params), which is not a "
                              "parameter of the checkpoint",
                              first_->name(), name, kept),
                  {.file = first_->name(), .tensor = name});
    }
  }
}

void RankBuilder::add_objects() {
  const std::set<std::string_view> shards{"module",        "param_shapes",
                                          "shared_params", "frozen_param_shapes",
                                          "dp_world_size", "frozen_param_fragments"};
  const tf::Values& values = first_->values();
  for (const tf::Item& item : tf::items_of(values, first_->root())) {
    const auto key = values.as_string(item.key);
    const std::string name =
        key && !key->empty() ? std::string(*key) : tf::describe(values, item.key);
    if (!shards.contains(name)) first_->add_object(name, item.value, rank_);
  }
}

std::vector<FlatTensors*> RankBuilder::pieces() {
  std::vector<FlatTensors*> all;
  for (FlatTensors& flat : flat_) all.push_back(&flat);
  for (FlatTensors& fragment : fragments_) all.push_back(&fragment);
  return all;
}

}  // namespace ckptbridge::deepspeed
