// evo2-mapper: savanna's names and shapes become Megatron's, or the other way round, for one
// profile. What maps to what is data (profiles/shared), read in either direction.
#include <filesystem>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/evo2/fit.h"
#include "plugins/evo2/mapper_options.h"
#include "plugins/evo2/names.h"
#include "plugins/evo2/profile.h"
#include "plugins/evo2/to_megatron.h"
#include "plugins/evo2/to_savanna.h"
#include "plugins/evo2/whole_tensors.h"

namespace {

using ckptbridge::Error;
using ckptbridge::Json;
using ckptbridge::JsonObject;
using ckptbridge::evo2::Family;
using ckptbridge::plugin::ConstGraph;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::ObjectView;
namespace evo2 = ckptbridge::evo2;
namespace plugin = ckptbridge::plugin;

constexpr char kId[] = "evo2-mapper";

evo2::MapperOptions read_options(const char* text) {
  const Json given = Json::parse(text, "options");
  JsonObject object(given, "options");
  evo2::MapperOptions options;
  options.model_size = object.string("model-size");
  options.profile = object.string_or("profile", "");
  options.keep_fp32_filters = object.boolean("keep-fp32-filters");
  options.no_te = object.boolean("no-te");
  options.use_subquadratic_ops = object.boolean("use-subquadratic-ops");
  options.dtype_name = object.string_or("params-dtype", "bf16");
  if (object.find("params-dtype") != nullptr) {
    options.params_dtype = options.dtype_name == "fp32"   ? ckptbridge::kFloat32
                           : options.dtype_name == "fp16" ? ckptbridge::kFloat16
                                                          : ckptbridge::kBFloat16;
  }
  return options;
}

// What the checkpoint says of itself: args and configs/*.yml, or NeMo's context. Of savanna's,
// those of rank 0: they are of the whole model.
evo2::Evidence read_evidence(const ConstGraph& in, const evo2::EvidenceTable& table) {
  evo2::Evidence evidence{{}, table.unseen()};
  const auto add = [&](const std::vector<evo2::Fact>& facts) {
    evidence.facts.insert(evidence.facts.end(), facts.begin(), facts.end());
  };
  for (std::uint64_t i = 0; i < in.object_count(); ++i) {
    const ObjectView object = in.object(i);
    const std::string name(object.name);
    if (object.mp_rank > 0) continue;
    const std::string_view text(reinterpret_cast<const char*>(object.data.data()),
                                object.data.size());
    if (name == "args" && object.kind == "pickle") {
      add(table.facts(table.read_args(object.data, name), name));
    }
    if (name.starts_with("configs/") && object.kind == "bytes") {
      add(table.facts(evo2::read_settings(text), name));
    }
    if (name == "context/model.yaml" && object.kind == "bytes") {
      add(table.nemo_facts(evo2::read_settings_below("config", text), name));
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

// What NeMo's configuration says otherwise than the profile stands in the way of nothing here, as
// none of it is written; but who uses the tensors must know.
void tell_contradictions(const evo2::Profile& profile, const std::vector<evo2::Fact>& facts,
                         Graph& out) {
  for (const evo2::Fact& fact : evo2::contradicted(profile, facts)) {
    out.note(
        fmt::format("{} says {} {}, size {} has {}: Savanna's configuration must say what "
                    "holds for this model",
                    fact.place, fact.key, evo2::to_text(fact.value), profile.name,
                    evo2::to_text(profile.values.at(fact.field))));
  }
}

class Evo2Mapper : public plugin::Transform {
 public:
  explicit Evo2Mapper(const char* options) : options_(read_options(options)) {}

  void rewrite(const ConstGraph& in, Graph& out) override {
    const std::filesystem::path folder =
        std::filesystem::path(plugin::host->plugin_folder(plugin::host, kId)) / "profiles";
    const evo2::Catalogue catalogue(folder);
    const evo2::NameTable names(folder, catalogue.fields());
    const bool is_megatron = in.property("names") == "megatron";
    const evo2::WholeTensors tensors(in, is_megatron ? names.megatron_root() : "");
    const Family family = is_megatron && !options_.no_te
                              ? evo2::megatron_family(names, tensors.found())
                          : is_megatron ? Family::kMegatronWithoutTe
                                        : Family::kSavanna;
    const evo2::Evidence evidence =
        read_evidence(in, evo2::EvidenceTable(folder, catalogue.fields()));
    const evo2::Profile profile = find_profile(catalogue, names, tensors, family, evidence, out);
    if (is_megatron) {
      evo2::require_mapped(profile, names);
    } else {
      evo2::require_convertible(profile, names);
    }
    evo2::require_fit(profile, catalogue, names, tensors.found(), family);
    if (is_megatron) {
      tell_contradictions(profile, evidence.facts, out);
      evo2::map_to_savanna(options_, profile, names, family, tensors, in, out);
    } else {
      evo2::require_agreement(profile, catalogue, evidence.facts);
      evo2::map_to_megatron(options_, profile, catalogue, names, tensors, in, out);
    }
    out.set_property("mp_world_size", "1");
    out.set_property("model_size", profile.name);  // for `ckptbridge inspect`
    for (const std::string& note : profile.notes) out.note(profile.name + ": " + note);
  }

 private:
  evo2::Profile find_profile(const evo2::Catalogue& catalogue, const evo2::NameTable& names,
                             const evo2::WholeTensors& tensors, Family family,
                             const evo2::Evidence& evidence, Graph& out) const {
    const auto tell = [&](const evo2::Profile& profile, const std::string& why) {
      const bool agrees = evo2::contradicted(profile, evidence.facts).empty();
      out.note(fmt::format("model size {} ({}{})", profile.name, why,
                           agrees ? places_of(evidence.facts) : ""));
    };
    if (!options_.profile.empty()) {
      if (options_.model_size != "auto") {
        throw Error(CKB_INVALID_ARGUMENT, "give --model-size or --profile, not both");
      }
      evo2::Profile profile = catalogue.read(options_.profile);
      tell(profile, "profile " + options_.profile);
      return profile;
    }
    if (options_.model_size == "auto") {
      const evo2::Profile& profile =
          evo2::choose(catalogue, names, tensors.found(), evidence, family);
      tell(profile, "the only one whose tensors are all those of the checkpoint");
      return profile;
    }
    const evo2::Profile& profile = catalogue.find(options_.model_size);
    tell(profile, "as asked for");
    return profile;
  }

  evo2::MapperOptions options_;
};

}  // namespace

CKPTBRIDGE_TRANSFORM(Evo2Mapper, "evo2-mapper", CKPTBRIDGE_VERSION)
