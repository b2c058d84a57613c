#include "plugins/evo2/to_megatron.h"

#include <cassert>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "plugins/evo2/common_state.h"
#include "plugins/evo2/context.h"
#include "plugins/evo2/expected.h"

namespace ckptbridge::evo2 {
namespace {

using plugin::ConstGraph;
using plugin::Graph;
using plugin::ObjectView;
using plugin::TensorView;

void add_object(Graph& out, const std::string& name, const StateObject& object) {
  std::vector<ckb_node> storages;
  for (const auto& [dtype, data] : object.storages) {
    const std::uint64_t item = item_size(dtype);
    assert(item > 0);
    const auto count = static_cast<std::int64_t>(data.size() / item);
    storages.push_back(out.add_constant(dtype, {{count}}, data));
  }
  out.add_object(name, "pickle", object.pickle, storages);
}

class Mapping {
 public:
  Mapping(const MapperOptions& options, const Profile& profile, const NameTable& names,
          const WholeTensors& tensors, Graph& out)
      : options_(options),
        names_(names),
        tensors_(tensors),
        expected_(expected(profile, names)),
        out_(out) {}

  void add_targets() {
    for (const Target& target : expected_.targets) {
      if (target.is_object()) {
        add_object(out_, target.name, extra_state(target.object));
      } else {
        add_tensor(target);
      }
    }
  }

  void drop_others(const ConstGraph& in) {
    for (const Source& source : expected_.sources) {
      const TensorView* tensor = tensors_.find(source.name);
      if (tensor == nullptr || source.equals.empty()) continue;
      out_.expect_equal(tensors_.find(source.equals)->value, tensor->value,
                        source.name + " against " + source.equals);
    }
    for (const TensorShape& tensor : tensors_.found()) {
      if (const Dropped* dropped = names_.find_dropped(tensor.name)) {
        out_.drop(tensors_.find(tensor.name)->value, dropped->reason);
      }
    }
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const ObjectView object = in.object(i);
      const Dropped* dropped = names_.find_dropped(object.name);
      out_.drop_object(object.name, dropped != nullptr
                                        ? dropped->reason
                                        : "training state, which a NeMo2 checkpoint of weights "
                                          "does not hold");
    }
  }

  // What the options make of dtypes; "" where it is what NeMo does and loses nothing.
  std::string dtype_note() const {
    const bool is_default = dtype_of(false) == kBFloat16;
    std::string note;
    if (!is_default || options_.keep_fp32_filters) {
      note = fmt::format("tensors are written as {}", options_.dtype_name);
      if (options_.keep_fp32_filters && options_.dtype_name != "fp32") note += ", filters as fp32";
    }
    if (rounded_filters_ == 0) return note;
    return fmt::format(
        "{}{}{} filter tensors lose float32 precision{}; --keep-fp32-filters keeps it", note,
        note.empty() ? "" : "; ", rounded_filters_, is_default ? ", as in NeMo's own import" : "");
  }

 private:
  // bf16 by default, as NeMo's own importer writes everything.
  Dtype dtype_of(bool is_filter) const { return options_.dtype_of(is_filter, kBFloat16); }

  void add_tensor(const Target& target) {
    const Dtype dtype = dtype_of(target.is_filter);
    std::vector<ckb_node> parts;
    for (const std::string& name : target.from) {
      const TensorView& tensor = *tensors_.find(name);
      ckb_node value = tensor.value;
      if (target.cut) {
        const auto dim = static_cast<std::uint32_t>(target.cut->dim);
        const auto kept = static_cast<std::int64_t>(target.cut->count);
        if (tensor.shape[dim] > kept) {
          out_.drop(out_.slice(value, dim, kept, tensor.shape[dim]), target.cut->reason);
          value = out_.slice(value, dim, 0, kept);
        }
      }
      // Parts may differ in dtype; they are laid end to end as what they become.
      if (target.is_filter && tensor.dtype == kFloat32 && dtype != tensor.dtype) {
        ++rounded_filters_;
      }
      parts.push_back(out_.cast(value, dtype));
    }
    const plugin::Shape shape(target.shape.begin(), target.shape.end());
    const bool joined = parts.size() > 1;
    // Megatron stores what it made of two as two chunks.
    out_.add_tensor(
        {.name = target.name,
         .value =
             joined ? out_.concat(parts, static_cast<std::uint32_t>(target.concat_dim)) : parts[0],
         .partition_dim = CKB_REPLICATED,
         .row_blocks = joined ? static_cast<std::uint32_t>(parts.size()) : 0},
        shape, dtype);
  }

  const MapperOptions& options_;
  const NameTable& names_;
  const WholeTensors& tensors_;
  const Expected expected_;
  Graph& out_;
  std::uint64_t rounded_filters_ = 0;
};

}  // namespace

void map_to_megatron(const MapperOptions& options, Profile profile, const Catalogue& catalogue,
                     const NameTable& names, const WholeTensors& tensors, const ConstGraph& in,
                     Graph& out) {
  for (const auto& [asked, field, value] :
       {std::tuple(options.no_te, "use_te", false),
        {options.use_subquadratic_ops, "use_subquadratic_ops", true}}) {
    if (!asked) continue;
    profile = with_override(std::move(profile), catalogue.fields(), field, value);
  }
  Mapping mapping(options, profile, names, tensors, out);
  mapping.add_targets();
  mapping.drop_others(in);
  // The writer puts its own format in the place of this one.
  const Context context =
      make_context(profile, catalogue.fields(), catalogue.folder(), "torch_dist");
  out.add_object("context/io.json", "json", context.io_json);
  out.add_object("context/model.yaml", "bytes", context.model_yaml);
  add_object(out, "common", common_state(catalogue.folder()));
  out.set_property("names", "megatron");

  if (const std::string note = mapping.dtype_note(); !note.empty()) out.note(note);
  if (options.no_te) {
    out.note("layer norms have names of their own, for a model without Transformer Engine");
  }
}

}  // namespace ckptbridge::evo2
