#include "plugins/evo2/fit.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "ckptbridge/error.hpp"
#include "plugins/evo2/propose.h"

namespace ckptbridge::evo2 {
namespace {

constexpr std::size_t kFewParts = 3;     // of each size in a list
constexpr std::size_t kMostNearest = 3;  // sizes in a message

std::string shape_text(const Shape& shape) {
  std::string out = "[";
  for (const std::uint64_t size : shape) {
    out += (out.size() == 1 ? "" : ", ") + std::to_string(size);
  }
  return out + "]";
}

std::string size_text(std::uint64_t size, std::size_t dim, std::size_t ndim) {
  if (ndim == 1) return std::to_string(size) + " elements";
  if (ndim == 2) return std::to_string(size) + (dim == 0 ? " rows" : " columns");
  return "size " + std::to_string(size) + " in dimension " + std::to_string(dim);
}

// Throws Error when the names are those of another kind of checkpoint.
void require_names(const NameTable& names, const std::vector<TensorShape>& found, Family family) {
  if (found.empty()) throw Error(CKB_UNSUPPORTED, "the checkpoint has no tensors");
  const auto begins = [&](std::string_view prefix) {
    return std::any_of(found.begin(), found.end(),
                       [&](const TensorShape& t) { return t.name.starts_with(prefix); });
  };
  if (family != Family::kSavanna) {
    if (begins(names.layer_prefix.substr(0, names.layer_prefix.find('{')))) return;
    throw Error(CKB_UNSUPPORTED, "the checkpoint is none of Evo2 in Megatron's names: expected " +
                                     names.layer_prefix + "…, the first tensor is " +
                                     found.front().name);
  }
  const bool savanna = std::any_of(found.begin(), found.end(), [](const TensorShape& t) {
    return !parameter_name(t.name).empty();
  });
  if (savanna) return;
  if (begins("blocks.")) {
    throw Error(CKB_UNSUPPORTED,
                "the checkpoint is in Vortex's inference format (names blocks.N.…); its filters "
                "are folded and cannot become training weights again",
                {.hint = "take the savanna_evo2_… checkpoint instead"});
  }
  if (begins("module.decoder.") || begins("decoder.")) {
    throw Error(CKB_UNSUPPORTED,
                "the checkpoint has Megatron's names already (decoder.layers.N.…); expected "
                "Savanna's (sequential.N.…)");
  }
  throw Error(CKB_UNSUPPORTED,
              "the checkpoint is none of Evo2 in Savanna's names: expected "
              "sequential.N.…, the first tensor is " +
                  found.front().name);
}

// A source in the checkpoint against what is wanted of it.
void compare_shapes(const Source& source, const Shape& found, std::vector<Difference>& out) {
  if (found.size() != source.shape.size()) {
    Difference difference{DifferenceKind::kNdim, source.name, found, source.shape};
    difference.harmless = !source.dropped.empty();
    out.push_back(std::move(difference));
    return;
  }
  for (std::size_t dim = 0; dim < found.size(); ++dim) {
    if (found[dim] == source.shape[dim]) continue;
    Difference difference{DifferenceKind::kSize, source.name, found, source.shape, dim};
    const bool cut = source.cut && source.cut->dim == dim && found[dim] >= source.cut->count;
    difference.harmless = cut || !source.dropped.empty();
    difference.identifying = !cut || source.cut->identifying;
    out.push_back(std::move(difference));
  }
}

// Differences of the same kind in several layers are one part of a message.
struct Part {
  const Difference* first = nullptr;
  std::size_t count = 0;
};

std::string part_text(const Part& part, const std::string& profile) {
  const Difference& first = *part.first;
  const std::string_view parameter = first.in_layer;
  const bool whole = part.count == 1 || parameter.empty();
  std::string name = whole ? first.name : std::string(parameter);
  std::string out;
  switch (first.kind) {
    case DifferenceKind::kSize:
      out = name + " has " + size_text(first.found[first.dim], first.dim, first.found.size()) +
            ", " + profile + " has " + std::to_string(first.wanted[first.dim]);
      break;
    case DifferenceKind::kNdim:
      out = name + " has shape " + shape_text(first.found) + ", " + profile + " has " +
            shape_text(first.wanted);
      break;
    case DifferenceKind::kMissing:
      out = name + " is missing";
      break;
    case DifferenceKind::kUnexpected:
      out = name + " is not in " + profile;
      break;
  }
  if (part.count > 1) out += " (" + std::to_string(part.count) + " layers)";
  return out;
}

std::vector<Part> parts_of(const Fit& fit, Tell tell) {
  using Key = std::tuple<DifferenceKind, std::string_view, std::size_t, Shape, Shape>;
  std::map<Key, std::size_t> index;
  std::vector<Part> parts;
  for (const Difference& difference : fit.differences) {
    const bool told =
        !difference.harmless || (tell == Tell::kIdentifying && difference.identifying);
    if (!told) continue;
    const std::string_view parameter = difference.in_layer;
    const Key key{difference.kind, parameter.empty() ? difference.name : parameter, difference.dim,
                  difference.found, difference.wanted};
    const auto [found, added] = index.emplace(key, parts.size());
    if (added) parts.push_back({&difference, 0});
    ++parts[found->second].count;
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.first->kind < b.first->kind; });
  return parts;
}

// A parameter by which layers can be counted.
std::string_view name_in_every_layer(const NameTable& names, Family family) {
  const auto every = [](const Scope& scope) {
    return scope.layers == "SDH*" && scope.field.empty();
  };
  if (family != Family::kSavanna) {
    for (const TargetRule& rule : names.targets) {
      if (every(rule.scope) && !rule.from.empty()) return rule.name;
    }
  }
  for (const Parameter& parameter : names.parameters) {
    for (const Occurrence& occurrence : parameter.occurrences) {
      if (every(occurrence.scope) && !occurrence.optional) return parameter.name;
    }
  }
  return {};
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::vector<std::string> others_that_fit(const Profile& profile, const Catalogue& catalogue,
                                         const NameTable& names,
                                         const std::vector<TensorShape>& found, Family family) {
  std::vector<std::string> exact;
  std::vector<std::string> near;
  for (const Profile& other : catalogue.profiles()) {
    if (other.name == profile.name) continue;
    const Fit fit = compare(other, names, found, family);
    if (fit.exact()) exact.push_back(other.name);
    if (fit.converts()) near.push_back(other.name);
  }
  return exact.empty() ? near : exact;
}

// The fields in which profiles differ that no tensor tells apart: "rotary_base (10000, 1000000)".
std::string differing_fields(const std::vector<const Profile*>& profiles) {
  std::vector<std::string> out;
  for (const auto& [field, value] : profiles.front()->values) {
    std::vector<std::string> values;
    bool differs = false;
    for (const Profile* profile : profiles) {
      const Value& other = profile->values.at(field);
      differs = differs || other != value;
      values.push_back(to_text(other));
    }
    if (differs) out.push_back(field + " (" + join(values) + ")");
  }
  return join(out);
}

// Those that no fact contradicts; all, when each is contradicted.
std::vector<const Profile*> agreeing(const std::vector<const Profile*>& profiles,
                                     const std::vector<Fact>& facts) {
  std::vector<const Profile*> out;
  for (const Profile* profile : profiles) {
    if (contradicted(*profile, facts).empty()) out.push_back(profile);
  }
  return out.empty() ? profiles : out;
}

// What the user can do with a proposed profile; "" when there is none.
std::string offer(const Proposal& proposal, const std::string& conjunction) {
  if (proposal.json.empty()) return "";
  return conjunction + "save this profile and pass it with --profile FILE:\n" + proposal.json;
}

}  // namespace

Family megatron_family(const NameTable& names, const std::vector<TensorShape>& found) {
  const bool has_engine = std::any_of(found.begin(), found.end(), [&](const TensorShape& tensor) {
    const std::string_view name = names.name_in_layer(tensor.name);
    return std::any_of(names.targets.begin(), names.targets.end(), [&](const TargetRule& rule) {
      return rule.scope.field == "use_te" && rule.scope.wanted && rule.name == name;
    });
  });
  return has_engine ? Family::kMegatron : Family::kMegatronWithoutTe;
}

bool Fit::converts() const {
  return std::all_of(differences.begin(), differences.end(),
                     [](const Difference& d) { return d.harmless; });
}

bool Fit::exact() const {
  return std::all_of(differences.begin(), differences.end(),
                     [](const Difference& d) { return d.harmless && !d.identifying; });
}

Fit compare(const Profile& profile, const NameTable& names, const std::vector<TensorShape>& found,
            Family family) {
  const std::vector<Source> wanted = tensors_of(profile, names, family);
  std::unordered_map<std::string_view, const Source*> sources;
  for (const Source& source : wanted) sources.emplace(source.name, &source);

  const std::string_view every = name_in_every_layer(names, family);
  Fit fit{profile.name, {}, 0, profile.text("hybrid_override_pattern").size()};
  std::set<std::string_view> seen;
  for (const TensorShape& tensor : found) {
    seen.insert(tensor.name);
    if (names.name_in_layer(tensor.name) == every) ++fit.layers_found;
    const auto source = sources.find(tensor.name);
    if (source != sources.end()) {
      compare_shapes(*source->second, tensor.shape, fit.differences);
      continue;
    }
    Difference difference{DifferenceKind::kUnexpected, tensor.name, tensor.shape, {}};
    // Extra state is no tensor of the model, whichever layer has it.
    difference.harmless = names.find_dropped(tensor.name) != nullptr;
    difference.identifying = !tensor.name.ends_with("_extra_state");
    fit.differences.push_back(std::move(difference));
  }
  for (const Source& source : wanted) {
    if (!source.optional && !seen.contains(source.name)) {
      fit.differences.push_back({DifferenceKind::kMissing, source.name, {}, source.shape});
    }
  }
  for (Difference& difference : fit.differences) {
    difference.in_layer = names.name_in_layer(difference.name);
  }
  return fit;
}

std::string describe(const Fit& fit, Tell tell, std::size_t most) {
  const std::vector<Part> parts = parts_of(fit, tell);
  std::string out;
  if (fit.layers_found != fit.layers_wanted) {
    out = "the checkpoint has " + std::to_string(fit.layers_found) + " layers, " + fit.profile +
          " has " + std::to_string(fit.layers_wanted);
    if (most > 0) --most;
  }
  for (std::size_t i = 0; i < std::min(parts.size(), most); ++i) {
    out += (out.empty() ? "" : "; ") + part_text(parts[i], fit.profile);
  }
  if (parts.size() > most) {
    out += "; and " + std::to_string(parts.size() - most) + " more";
  }
  return out;
}

Fit require_fit(const Profile& profile, const Catalogue& catalogue, const NameTable& names,
                const std::vector<TensorShape>& found, Family family) {
  require_names(names, found, family);
  Fit fit = compare(profile, names, found, family);
  if (fit.converts()) return fit;
  const std::vector<std::string> others = others_that_fit(profile, catalogue, names, found, family);
  throw Error(CKB_UNSUPPORTED,
              "the checkpoint is not of size " + profile.name + ": " + describe(fit) + "; " +
                  (others.empty() ? "no size fits; --profile FILE takes one of your own"
                                  : "this fits " + join(others)));
}

const Profile& choose(const Catalogue& catalogue, const NameTable& names,
                      const std::vector<TensorShape>& found, const Evidence& evidence,
                      Family family) {
  require_names(names, found, family);
  std::vector<const Profile*> exact;
  std::vector<Fit> fits;
  fits.reserve(catalogue.profiles().size());
  for (const Profile& profile : catalogue.profiles()) {
    fits.push_back(compare(profile, names, found, family));
    if (fits.back().exact()) exact.push_back(&profile);
  }
  if (exact.size() > 1) exact = agreeing(exact, evidence.facts);
  if (exact.size() == 1) return *exact.front();
  if (exact.size() > 1) {
    std::vector<std::string> fitting;
    fitting.reserve(exact.size());
    for (const Profile* profile : exact) fitting.push_back(profile->name);
    throw Error(CKB_INVALID_ARGUMENT,
                "several sizes fit the checkpoint: " + join(fitting) + "; they differ in " +
                    differing_fields(exact) + "",
                {.hint = "choose one with --model-size"});
  }

  // A profile is derived from Savanna's names alone.
  const Proposal proposal =
      family == Family::kSavanna
          ? propose(catalogue, names, found, evidence.facts, evidence.unseen)
          : Proposal{"",
                     "from Megatron's names none is derived; --profile FILE takes one of "
                     "your own"};
  std::vector<std::string> convertible;
  std::string lines;
  for (const Fit& fit : fits) {
    if (!fit.converts()) continue;
    convertible.push_back(fit.profile);
    lines += "\n  " + fit.profile + ": " + describe(fit, Tell::kIdentifying, kFewParts);
  }
  if (!convertible.empty()) {
    throw Error(CKB_INVALID_ARGUMENT,
                "no size has exactly the checkpoint's tensors; they can be converted as " +
                    join(convertible) +
                    ", but differ in columns of filters that NeMo does not use, whose number tells "
                    "how long a model's context is:" +
                    lines + "\nchoose one with --model-size" + offer(proposal, ", or "));
  }
  std::stable_sort(fits.begin(), fits.end(), [](const Fit& a, const Fit& b) {
    return a.differences.size() < b.differences.size();
  });
  std::string message = "no size fits the checkpoint; the nearest:";
  for (std::size_t i = 0; i < std::min(fits.size(), kMostNearest); ++i) {
    message += "\n  " + fits[i].profile + ": " + describe(fits[i], Tell::kIdentifying, kFewParts);
  }
  throw Error(CKB_UNSUPPORTED,
              message + "\n" +
                  (proposal.json.empty()
                       ? "no profile can be made of its tensors either: " + proposal.problem
                       : offer(proposal, "")));
}

}  // namespace ckptbridge::evo2
