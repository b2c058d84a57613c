// evo2-mapper: savanna's names and shapes become Megatron's, for one profile.
//
// What maps to what is data (profiles/shared); here it is applied: sources are joined, truncated
// and cast, all else is dropped with its reason, and the objects of a NeMo2 checkpoint are added.
#include <cassert>
#include <filesystem>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/plugin.hpp"
#include "plugins/evo2/common_state.h"
#include "plugins/evo2/context.h"
#include "plugins/evo2/expected.h"
#include "plugins/evo2/fit.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::plugin::ConstGraph;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::ObjectView;
using ckptbridge::plugin::TensorView;
using nlohmann::json;
namespace evo2 = ckptbridge::evo2;
namespace plugin = ckptbridge::plugin;

constexpr char kId[] = "evo2-mapper";

struct Options {
  explicit Options(const json& given)
      : model_size(given.at("model-size")),
        profile(given.value("profile", "")),
        keep_fp32_filters(given.at("keep-fp32-filters")),
        no_te(given.at("no-te")),
        use_subquadratic_ops(given.at("use-subquadratic-ops")),
        dtype_name(given.at("params-dtype")) {
    params_dtype = dtype_name == "fp32"   ? ckptbridge::kFloat32
                   : dtype_name == "fp16" ? ckptbridge::kFloat16
                                          : ckptbridge::kBFloat16;
  }

  std::string model_size;
  std::string profile;
  Dtype params_dtype{};
  bool keep_fp32_filters;
  bool no_te;
  bool use_subquadratic_ops;
  std::string dtype_name;  // as the user gave it
};

evo2::Shape whole_shape(const TensorView& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}

// The tensors of a checkpoint with one rank, by name.
class Sources {
 public:
  explicit Sources(const ConstGraph& in) {
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const TensorView tensor = in.tensor(i);
      if (tensor.mp_world_size != 1) {
        throw Error(CKB_UNSUPPORTED, fmt::format("{}: is split over {} ranks; put mp-resharder "
                                                 "mp-size=1 in front",
                                                 tensor.name, tensor.mp_world_size));
      }
      found_.push_back({std::string(tensor.name), whole_shape(tensor)});
      by_name_.emplace(std::string(tensor.name), tensor);
    }
  }

  const std::vector<evo2::TensorShape>& found() const { return found_; }
  const TensorView* find(const std::string& name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
  }

 private:
  std::vector<evo2::TensorShape> found_;
  std::map<std::string, TensorView> by_name_;
};

class Mapper {
 public:
  Mapper(const Options& options, const evo2::Profile& profile, const evo2::NameTable& names,
         const Sources& sources, Graph& out)
      : options_(options),
        names_(names),
        sources_(sources),
        expected_(evo2::expected(profile, names)),
        out_(out) {}

  void map_targets() {
    for (const evo2::Target& target : expected_.targets) {
      if (target.is_object()) {
        add_object(out_, target.name, evo2::extra_state(target.object));
      } else {
        map_tensor(target);
      }
    }
  }

  void drop_others(const ConstGraph& in) {
    for (const evo2::Source& source : expected_.sources) {
      const TensorView* tensor = sources_.find(source.name);
      if (tensor == nullptr || source.equals.empty()) continue;
      out_.expect_equal(sources_.find(source.equals)->value, tensor->value,
                        source.name + " against " + source.equals);
    }
    for (const evo2::TensorShape& tensor : sources_.found()) {
      if (const evo2::Dropped* dropped = names_.find_dropped(tensor.name)) {
        out_.drop(sources_.find(tensor.name)->value, dropped->reason);
      }
    }
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const ObjectView object = in.object(i);
      const evo2::Dropped* dropped = names_.find_dropped(object.name);
      out_.drop_object(object.name, dropped != nullptr
                                        ? dropped->reason
                                        : "training state, which a NeMo2 checkpoint of weights "
                                          "does not hold");
    }
  }

  static void add_object(Graph& out, const std::string& name, const evo2::StateObject& object) {
    std::vector<ckb_node> storages;
    for (const auto& [dtype, data] : object.storages) {
      const std::uint64_t item = ckptbridge::item_size(dtype);
      assert(item > 0);
      const auto count = static_cast<std::int64_t>(data.size() / item);
      storages.push_back(out.add_constant(dtype, {{count}}, data));
    }
    out.add_object(name, "pickle", object.pickle, storages);
  }

  std::uint64_t rounded_filters() const { return rounded_filters_; }

 private:
  void map_tensor(const evo2::Target& target) {
    const Dtype dtype =
        evo2::target_dtype(target, options_.params_dtype, options_.keep_fp32_filters);
    std::vector<ckb_node> parts;
    for (const std::string& name : target.from) {
      const TensorView& tensor = *sources_.find(name);
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
      if (target.is_filter && tensor.dtype == ckptbridge::kFloat32 && dtype != tensor.dtype) {
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

  const Options& options_;
  const evo2::NameTable& names_;
  const Sources& sources_;
  const evo2::Expected expected_;
  Graph& out_;
  std::uint64_t rounded_filters_ = 0;
};

// What args and configs/*.yml say. Those of rank 0: they are of the whole model.
evo2::Evidence read_evidence(const ConstGraph& in, const evo2::EvidenceTable& table) {
  evo2::Evidence evidence{{}, table.unseen()};
  const auto add = [&](const evo2::Settings& settings, const std::string& place) {
    const auto facts = table.facts(settings, place);
    evidence.facts.insert(evidence.facts.end(), facts.begin(), facts.end());
  };
  for (std::uint64_t i = 0; i < in.object_count(); ++i) {
    const ObjectView object = in.object(i);
    const std::string name(object.name);
    if (object.mp_rank > 0) continue;
    if (name == "args" && object.kind == "pickle") add(table.read_args(object.data, name), name);
    if (name.starts_with("configs/") && object.kind == "bytes") {
      const auto* text = reinterpret_cast<const char*>(object.data.data());
      add(evo2::read_settings({text, object.data.size()}), name);
    }
  }
  return evidence;
}

// "; args, configs/7b.yml agree", once nothing contradicts.
std::string places_of(const std::vector<evo2::Fact>& facts) {
  std::vector<std::string> places;
  for (const evo2::Fact& fact : facts) {
    if (places.empty() || places.back() != fact.place) places.push_back(fact.place);
  }
  if (places.empty()) return "";
  return fmt::format("; {} agree{} with it", fmt::join(places, ", "),
                     places.size() == 1 ? "s" : "");
}

class Evo2Mapper : public plugin::Transform {
 public:
  explicit Evo2Mapper(const char* options) : options_(json::parse(options)) {}

  void rewrite(const ConstGraph& in, Graph& out) override {
    const std::filesystem::path folder =
        std::filesystem::path(plugin::host->plugin_folder(plugin::host, kId)) / "profiles";
    const evo2::Catalogue catalogue(folder);
    const evo2::NameTable names(folder, catalogue.fields());
    const Sources sources(in);
    const evo2::Evidence evidence =
        read_evidence(in, evo2::EvidenceTable(folder, catalogue.fields()));
    evo2::Profile profile = find_profile(catalogue, names, sources, evidence, out);
    evo2::require_convertible(profile, names);
    evo2::require_fit(profile, catalogue, names, sources.found());
    evo2::require_agreement(profile, catalogue, evidence.facts);
    for (const auto& [asked, field, value] :
         {std::tuple(options_.no_te, "use_te", false),
          {options_.use_subquadratic_ops, "use_subquadratic_ops", true}}) {
      if (!asked) continue;
      profile = evo2::with_override(std::move(profile), catalogue.fields(), field, value);
    }

    Mapper mapper(options_, profile, names, sources, out);
    mapper.map_targets();
    mapper.drop_others(in);
    // The writer puts its own format in the place of this one.
    const evo2::Context context =
        evo2::make_context(profile, catalogue.fields(), folder, "torch_dist");
    out.add_object("context/io.json", "json", context.io_json);
    out.add_object("context/model.yaml", "bytes", context.model_yaml);
    Mapper::add_object(out, "common", evo2::common_state(folder));
    out.set_property("names", "megatron");
    out.set_property("mp_world_size", "1");
    out.set_property("model_size", profile.name);  // for `ckptbridge inspect`

    if (const std::string note = dtype_note(mapper.rounded_filters()); !note.empty()) {
      out.note(note);
    }
    if (options_.no_te) {
      out.note("layer norms have names of their own, for a model without Transformer Engine");
    }
    for (const std::string& note : profile.notes) out.note(profile.name + ": " + note);
  }

 private:
  // What the options make of dtypes; "" where it is what NeMo does and loses nothing.
  std::string dtype_note(std::uint64_t rounded_filters) const {
    const bool is_default = options_.params_dtype == ckptbridge::kBFloat16;
    std::string note;
    if (!is_default || options_.keep_fp32_filters) {
      note = fmt::format("tensors are written as {}", options_.dtype_name);
      if (options_.keep_fp32_filters && options_.dtype_name != "fp32") note += ", filters as fp32";
    }
    if (rounded_filters == 0) return note;
    return fmt::format(
        "{}{}{} filter tensors lose float32 precision{}; --keep-fp32-filters keeps it", note,
        note.empty() ? "" : "; ", rounded_filters, is_default ? ", as in NeMo's own import" : "");
  }

  evo2::Profile find_profile(const evo2::Catalogue& catalogue, const evo2::NameTable& names,
                             const Sources& sources, const evo2::Evidence& evidence,
                             Graph& out) const {
    const std::string agreeing = places_of(evidence.facts);
    if (!options_.profile.empty()) {
      if (options_.model_size != "auto") {
        throw Error(CKB_INVALID_ARGUMENT, "give --model-size or --profile, not both");
      }
      evo2::Profile profile = catalogue.read(options_.profile);
      out.note(
          fmt::format("model size {} (profile {}{})", profile.name, options_.profile, agreeing));
      return profile;
    }
    if (options_.model_size == "auto") {
      const evo2::Profile& profile = evo2::choose(catalogue, names, sources.found(), evidence);
      out.note(
          fmt::format("model size {} (the only one whose tensors are all those of the "
                      "checkpoint{})",
                      profile.name, agreeing));
      return profile;
    }
    const evo2::Profile& profile = catalogue.find(options_.model_size);
    out.note(fmt::format("model size {} (as asked for{})", profile.name, agreeing));
    return profile;
  }

  Options options_;
};

}  // namespace

CKPTBRIDGE_TRANSFORM(Evo2Mapper, "evo2-mapper", CKPTBRIDGE_VERSION)
