#include "plugins/evo2/names.h"

#include <algorithm>
#include <array>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"

namespace ckptbridge::evo2 {
namespace {

constexpr int kMostDims = 8;
constexpr std::string_view kLayer = "{layer}";

// What follows prefix, a number and then more; "" where it does not.
std::string_view after_number(std::string_view name, std::string_view prefix,
                              std::string_view more) {
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  const std::size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return {};
  name.remove_prefix(digits);
  if (!name.starts_with(more)) return {};
  return name.substr(more.size());
}

constexpr std::array<std::pair<const char*, Position>, 4> kPositions{{
    {"embedding", Position::kEmbedding},
    {"layer", Position::kLayer},
    {"norm", Position::kNorm},
    {"output", Position::kOutput},
}};

Position parse_position(const JsonObject& members, const std::string& name,
                        const std::string& text) {
  for (const auto& [known, position] : kPositions) {
    if (text == known) return position;
  }
  members.refuse(name, "unknown position \"" + text + "\"");
}

Scope read_scope(JsonObject& members, const FieldTable& fields) {
  Scope scope;
  scope.at = parse_position(members, "at", members.string("at"));
  scope.layers = members.string_or("layers", "");
  if ((scope.at == Position::kLayer) == scope.layers.empty() ||
      scope.layers.find_first_not_of("SDH*") != std::string::npos) {
    members.refuse("layers", "expected letters of S, D, H and * for layers, and none elsewhere");
  }
  for (const bool wanted : {true, false}) {
    const std::string field = members.string_or(wanted ? "when" : "unless", "");
    if (field.empty()) continue;
    const Field* known = fields.find(field);
    if (known == nullptr || known->type != FieldType::kBoolean || known->nullable) {
      members.refuse(wanted ? "when" : "unless", "expected a boolean field, found " + field);
    }
    scope.field = field;
    scope.wanted = wanted;
  }
  return scope;
}

std::optional<int> read_dim(JsonObject& members, const std::string& name) {
  if (members.get(name).is_null()) return std::nullopt;
  return static_cast<int>(members.integer(name, 0, kMostDims - 1));
}

Parameter read_parameter(JsonObject& members, const FieldTable& fields) {
  Parameter parameter;
  parameter.name = members.string("name");
  parameter.partition_dim = read_dim(members, "partition_dim");
  parameter.hidden_dim = read_dim(members, "hidden_dim");
  for (JsonObject& in : members.objects("in")) {
    Occurrence occurrence;
    occurrence.scope = read_scope(in, fields);
    occurrence.shape = in.strings("shape");
    if (occurrence.shape.empty() || occurrence.shape.size() > kMostDims) {
      in.refuse("shape", "expected 1 to 8 dimensions");
    }
    occurrence.optional = in.boolean_or("optional", false);
    const std::string equals = in.string_or("equals", "");
    if (!equals.empty()) occurrence.equals = parse_position(in, "equals", equals);
    in.require_all_read();
    parameter.occurrences.push_back(std::move(occurrence));
  }
  members.require_all_read();
  return parameter;
}

TargetRule read_target(JsonObject& members, const FieldTable& fields) {
  TargetRule rule;
  rule.scope = read_scope(members, fields);
  rule.name = members.string("name");
  if (members.find("from") != nullptr) {
    rule.from = members.strings("from");
    if (rule.from.empty()) members.refuse("from", "is empty");
  } else {
    const std::string object = members.string("object");
    if (object != "empty" && object != "none") members.refuse("object", "expected empty or none");
    rule.object = object == "empty" ? ObjectValue::kEmpty : ObjectValue::kNone;
  }
  if (rule.from.size() > 1) {
    rule.concat_dim = static_cast<int>(members.integer("concat_dim", 0, kMostDims - 1));
  }
  if (members.find("keep") != nullptr) {
    JsonObject keep = members.object("keep");
    rule.keep = Keep{static_cast<int>(keep.integer("dim", 0, kMostDims - 1)), keep.string("count"),
                     keep.string("reason"), keep.boolean_or("identifying", false)};
    keep.require_all_read();
    // A cut through parts that lie end to end has no inverse by parts.
    if (rule.from.size() != 1) members.refuse("keep", "needs exactly one source");
  }
  members.require_all_read();
  return rule;
}

}  // namespace

NameTable::NameTable(const std::filesystem::path& folder, const FieldTable& fields) {
  const Json savanna = read_json(folder / "shared" / "savanna.json");
  JsonObject source(savanna, "savanna.json");
  source.integer("savanna_version", 1, 1);
  JsonObject places = source.object("positions");
  for (const auto& [name, position] : kPositions) {
    positions.emplace_back(position, places.string(name));
  }
  places.require_all_read();
  for (JsonObject& entry : source.objects("parameters")) {
    parameters.push_back(read_parameter(entry, fields));
  }
  for (JsonObject& drop : source.objects("dropped")) {
    dropped.push_back({drop.string("ends_with"), drop.string("reason")});
    drop.require_all_read();
  }
  source.require_all_read();

  const Json megatron = read_json(folder / "shared" / "megatron.json");
  JsonObject target(megatron, "megatron.json");
  target.integer("megatron_version", 1, 1);
  layer_prefix = target.string("layer_prefix");
  if (layer_prefix.find(kLayer) == std::string::npos) {
    target.refuse("layer_prefix", "expected {layer} in it");
  }
  fp32_filters = target.strings("fp32_filters");
  const JsonObject assumptions = target.object("assumes");
  for (const auto& [name, value] : target.get("assumes").items()) {
    const Field* field = fields.find(name);
    if (field == nullptr) assumptions.refuse(name, "no profile has this field");
    assumes.emplace_back(name, parse_value(*field, value, assumptions.where()));
  }
  for (JsonObject& entry : target.objects("targets")) {
    targets.push_back(read_target(entry, fields));
    for (const std::string& name : targets.back().from) {
      const bool known = std::any_of(parameters.begin(), parameters.end(),
                                     [&](const Parameter& p) { return p.name == name; });
      if (!known) target.refuse("targets", "savanna.json has no parameter " + name);
    }
  }
  target.require_all_read();
}

std::string_view parameter_name(std::string_view tensor_name) {
  return after_number(tensor_name, "sequential.", ".");
}

std::string_view NameTable::name_in_layer(std::string_view tensor_name) const {
  const std::string_view savannas = parameter_name(tensor_name);
  if (!savannas.empty()) return savannas;
  const std::string_view prefix = layer_prefix;
  const std::size_t number = prefix.find(kLayer);
  return after_number(tensor_name, prefix.substr(0, number), prefix.substr(number + kLayer.size()));
}

std::string_view NameTable::megatron_root() const {
  return std::string_view(layer_prefix).substr(0, layer_prefix.find('.') + 1);
}

const Parameter* NameTable::find(std::string_view tensor_name) const {
  const std::string_view wanted = parameter_name(tensor_name);
  for (const Parameter& parameter : parameters) {
    if (parameter.name == wanted) return &parameter;
  }
  return nullptr;
}

const Dropped* NameTable::find_dropped(std::string_view tensor_name) const {
  for (const Dropped& drop : dropped) {
    if (tensor_name.ends_with(drop.ending)) return &drop;
  }
  return nullptr;
}

}  // namespace ckptbridge::evo2
