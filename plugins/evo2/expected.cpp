#include "plugins/evo2/expected.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ckptbridge/error.hpp"
#include "plugins/evo2/expression.h"

namespace ckptbridge::evo2 {
namespace {

class Expansion {
 public:
  Expansion(const Profile& profile, const NameTable& names)
      : profile_(profile), names_(names), pattern_(profile.text("hybrid_override_pattern")) {}

  Expected run() {
    for_each_place([&](Position at, std::size_t layer) { add_sources(at, layer); });
    for (std::size_t i = 0; i < out_.sources.size(); ++i) index_[out_.sources[i].name] = i;
    for_each_place([&](Position at, std::size_t layer) { add_targets(at, layer); });
    return std::move(out_);
  }

 private:
  template <typename Visit>
  void for_each_place(const Visit& visit) {
    visit(Position::kEmbedding, 0);
    for (std::size_t layer = 0; layer < pattern_.size(); ++layer) visit(Position::kLayer, layer);
    visit(Position::kNorm, 0);
    visit(Position::kOutput, 0);
  }

  // Most expressions are the same in every layer; those are evaluated once.
  std::uint64_t number(const std::string& expression, std::size_t layer) {
    const auto known = constants_.find(expression);
    if (known != constants_.end()) return known->second;
    bool constant = true;
    const auto lookup = [&](const std::string& name) {
      if (name != "layer") return profile_.integer(name);
      constant = false;
      return static_cast<std::int64_t>(layer);
    };
    const std::uint64_t value = evaluate(expression, lookup, profile_.origin);
    if (constant) constants_.emplace(expression, value);
    return value;
  }

  bool applies(const Scope& scope, Position at, std::size_t layer) const {
    return scope.at == at && scope.holds(profile_) &&
           (at != Position::kLayer || scope.layers.find(pattern_[layer]) != std::string::npos);
  }

  std::string source_name(const std::string& parameter, Position at, std::size_t layer) {
    for (const auto& [position, expression] : names_.positions) {
      if (position == at) {
        return "sequential." + std::to_string(number(expression, layer)) + "." + parameter;
      }
    }
    throw Error(CKB_INTERNAL, "savanna.json lacks a position");
  }

  std::string target_name(const TargetRule& rule, std::size_t layer) const {
    if (rule.scope.at != Position::kLayer) return rule.name;
    std::string prefix = names_.layer_prefix;
    prefix.replace(prefix.find("{layer}"), 7, std::to_string(layer));
    return prefix + rule.name;
  }

  void add_sources(Position at, std::size_t layer) {
    for (const Parameter& parameter : names_.parameters) {
      for (const Occurrence& occurrence : parameter.occurrences) {
        if (!applies(occurrence.scope, at, layer)) continue;
        Source source;
        source.name = source_name(parameter.name, at, layer);
        for (const std::string& size : occurrence.shape) {
          source.shape.push_back(number(size, layer));
        }
        source.optional = occurrence.optional;
        if (occurrence.equals) {
          source.equals = source_name(parameter.name, *occurrence.equals, layer);
        }
        if (const Dropped* drop = names_.find_dropped(source.name)) source.dropped = drop->reason;
        out_.sources.push_back(std::move(source));
      }
    }
  }

  void add_targets(Position at, std::size_t layer) {
    for (const TargetRule& rule : names_.targets) {
      if (!applies(rule.scope, at, layer)) continue;
      Target target;
      target.name = target_name(rule, layer);
      target.object = rule.object;
      target.concat_dim = static_cast<std::size_t>(rule.concat_dim);
      const std::string last = target.name.substr(target.name.rfind('.') + 1);
      target.is_filter = std::find(names_.fp32_filters.begin(), names_.fp32_filters.end(), last) !=
                         names_.fp32_filters.end();
      for (const std::string& parameter : rule.from) {
        Source& source = find_source(target.name, source_name(parameter, at, layer));
        if (rule.keep) cut(*rule.keep, source, target, layer);
        append(source, target);
      }
      out_.targets.push_back(std::move(target));
    }
  }

  Source& find_source(const std::string& target, const std::string& name) {
    const auto found = index_.find(name);
    if (found == index_.end()) {
      throw Error(CKB_INVALID_ARGUMENT,
                  "megatron.json: " + target + " needs " + name + ", which savanna.json lacks");
    }
    return out_.sources[found->second];
  }

  void cut(const Keep& keep, Source& source, Target& target, std::size_t layer) {
    const Cut cut{static_cast<std::size_t>(keep.dim), number(keep.count, layer), keep.reason,
                  keep.identifying};
    if (cut.dim >= source.shape.size()) {
      throw Error(CKB_INVALID_ARGUMENT, "megatron.json: " + target.name + ": keep: dim " +
                                            std::to_string(cut.dim) + " does not exist");
    }
    if (source.shape[cut.dim] < cut.count) {
      throw Error(CKB_INVALID_ARGUMENT, profile_.origin + ": " + source.name + " has " +
                                            std::to_string(source.shape[cut.dim]) +
                                            " entries in dimension " + std::to_string(cut.dim) +
                                            ", NeMo needs " + std::to_string(cut.count));
    }
    source.cut = cut;
    target.cut = cut;
  }

  static void append(const Source& source, Target& target) {
    Shape part = source.shape;
    if (target.cut) part[target.cut->dim] = target.cut->count;
    if (target.from.empty()) {
      target.shape = std::move(part);
    } else {
      Shape joined = target.shape;
      if (joined.size() != part.size() || target.concat_dim >= part.size()) {
        throw Error(CKB_INVALID_ARGUMENT, "megatron.json: " + target.name + ": concat_dim");
      }
      joined[target.concat_dim] = part[target.concat_dim];
      if (joined != part) {
        throw Error(CKB_INVALID_ARGUMENT,
                    "megatron.json: " + target.name + ": its sources cannot be laid end to end");
      }
      target.shape[target.concat_dim] += part[target.concat_dim];  // both below 2^62
    }
    target.from.push_back(source.name);
  }

  const Profile& profile_;
  const NameTable& names_;
  const std::string& pattern_;
  Expected out_;
  std::unordered_map<std::string, std::uint64_t> constants_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

Expected expected(const Profile& profile, const NameTable& names) {
  return Expansion(profile, names).run();
}

Profile with_engine_of(Family family, Profile profile) {
  profile.values.insert_or_assign("use_te", family == Family::kMegatron);
  return profile;
}

std::vector<Source> tensors_of(const Profile& profile, const NameTable& names, Family family) {
  if (family == Family::kSavanna) return expected(profile, names).sources;
  std::vector<Source> tensors;
  for (Target& target : expected(with_engine_of(family, profile), names).targets) {
    if (target.is_object()) continue;
    Source tensor;
    tensor.name = std::move(target.name);
    tensor.shape = std::move(target.shape);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

void require_mapped(const Profile& profile, const NameTable& names) {
  for (const auto& [field, value] : names.assumes) {
    const auto found = profile.values.find(field);
    if (found == profile.values.end() || found->second != value) {
      throw Error(CKB_UNSUPPORTED,
                  profile.origin + ": " + field + " is " +
                      (found == profile.values.end() ? "missing" : to_text(found->second)) +
                      ", conversion to NeMo2 is known for " + to_text(value) + " only");
    }
  }
}

void require_convertible(const Profile& profile, const NameTable& names) {
  if (profile.nemo_class.empty()) {
    throw Error(CKB_UNSUPPORTED,
                profile.name + ": NeMo 2.6 has no configuration class for this size, so that no " +
                    "NeMo2 checkpoint can be made; a profile that inherits from a size with a " +
                    "class can override its fields");
  }
  require_mapped(profile, names);
}

}  // namespace ckptbridge::evo2
