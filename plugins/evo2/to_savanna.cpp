#include "plugins/evo2/to_savanna.h"

#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plugins/evo2/inverse.h"

namespace ckptbridge::evo2 {
namespace {

using plugin::ConstGraph;
using plugin::Graph;
using plugin::ObjectView;
using plugin::TensorView;

std::string tensors_text(std::uint64_t count) {
  return fmt::format("{} tensor{}", count, count == 1 ? "" : "s");
}

const char* reason_to_drop(std::string_view object) {
  if (object.find("_extra_state") != object.npos) {
    return "state of Transformer Engine's modules; Savanna starts from its own";
  }
  if (object.starts_with("context/")) return "NeMo's configuration; Savanna has its own";
  return "training state of NeMo";
}

class Mapping {
 public:
  Mapping(const MapperOptions& options, const Profile& profile, const Expected& expected,
          const WholeTensors& tensors, Graph& out)
      : options_(options),
        profile_(profile),
        inverse_(inverse(expected)),
        tensors_(tensors),
        out_(out) {}

  void add_parts() {
    for (const Part& part : inverse_.parts) add_tensor(part);
  }

  void drop_others(const ConstGraph& in, const NameTable& names) {
    for (const TensorShape& tensor : tensors_.found()) {
      if (const Dropped* dropped = names.find_dropped(tensor.name)) {
        out_.drop(tensors_.find(tensor.name)->value, dropped->reason);
      }
    }
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const ObjectView object = in.object(i);
      out_.drop_object(object.name, reason_to_drop(object.name));
    }
  }

  // What does not come back, one line for each kind of loss.
  void tell_losses() {
    std::map<std::pair<std::string_view, std::uint64_t>, std::pair<const Part*, int>> cut;
    for (const Part& part : inverse_.parts) {
      if (!part.cut) continue;
      auto& [first, count] = cut[{parameter_name(part.name), part.uncut}];
      first = &part;
      ++count;
    }
    for (const auto& [key, found] : cut) {
      const auto& [part, count] = found;
      out_.note(
          fmt::format("{} ({}) has {} of the {} {} of {}: the rest was lost on the way to "
                      "NeMo",
                      key.first, tensors_text(static_cast<std::uint64_t>(count)), part->cut->count,
                      part->uncut, part->cut->dim == 0 ? "rows" : "columns", profile_.name));
    }
    std::map<std::string_view, std::pair<const Source*, std::uint64_t>> missing;
    for (const Source& source : inverse_.missing) {
      auto& [first, count] = missing[parameter_name(source.name)];
      first = &source;
      ++count;
    }
    for (const auto& [name, found] : missing) {
      out_.note(fmt::format("{} ({}) is in Savanna's checkpoints and not in NeMo's: {}", name,
                            tensors_text(found.second), found.first->dropped));
    }
    for (const auto& [from, count] : narrow_) {
      out_.note(
          fmt::format("{} stay{} {}; what more precision they had before NeMo is lost "
                      "(--params-dtype fp32 widens them)",
                      tensors_text(count), count == 1 ? "s" : "", from));
    }
  }

 private:
  void add_tensor(const Part& part) {
    const TensorView& tensor = *tensors_.find(part.from);
    const Dtype dtype = options_.dtype_of(part.is_filter, tensor.dtype);
    ckb_node value = tensor.value;
    if (!part.is_whole) {
      value =
          out_.slice(value, static_cast<std::uint32_t>(part.dim),
                     static_cast<std::int64_t>(part.begin), static_cast<std::int64_t>(part.end));
    }
    const plugin::Shape shape(part.shape.begin(), part.shape.end());
    out_.add_tensor({.name = part.name,
                     .value = out_.cast(value, dtype),
                     .partition_dim = CKB_REPLICATED,
                     .flags = tensor.flags},
                    shape, dtype);
    if (dtype == tensor.dtype && item_size(dtype) < item_size(kFloat32)) {
      ++narrow_[dtype_name(dtype)];
    }
  }

  const MapperOptions& options_;
  const Profile& profile_;
  const Inverse inverse_;
  const WholeTensors& tensors_;
  Graph& out_;
  std::map<std::string, std::uint64_t> narrow_;
};

}  // namespace

void map_to_savanna(const MapperOptions& options, const Profile& profile, const NameTable& names,
                    Family family, const WholeTensors& tensors, const ConstGraph& in, Graph& out) {
  if (options.use_subquadratic_ops) {
    throw Error(CKB_INVALID_ARGUMENT,
                "--use-subquadratic-ops is about NeMo's configuration, and does not go with "
                "Savanna's names");
  }
  Mapping mapping(options, profile, expected(with_engine_of(family, profile), names), tensors, out);
  mapping.add_parts();
  mapping.drop_others(in, names);
  mapping.tell_losses();
  out.set_property("names", "savanna");
}

}  // namespace ckptbridge::evo2
