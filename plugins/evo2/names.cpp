#include "plugins/evo2/names.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"

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

Position parse_position(const Members& members, const std::string& name, const std::string& text) {
  for (const auto& [known, position] : kPositions) {
    if (text == known) return position;
  }
  members.fail(name, "unknown position \"" + text + "\"");
}

Scope read_scope(Members& members, const FieldTable& fields) {
  Scope scope;
  scope.at = parse_position(members, "at", members.text("at"));
  scope.layers = members.text_or("layers", "");
  if ((scope.at == Position::kLayer) == scope.layers.empty() ||
      scope.layers.find_first_not_of("SDH*") != std::string::npos) {
    members.fail("layers", "expected letters of S, D, H and * for layers, and none elsewhere");
  }
  for (const bool wanted : {true, false}) {
    const std::string field = members.text_or(wanted ? "when" : "unless", "");
    if (field.empty()) continue;
    const Field* known = fields.find(field);
    if (known == nullptr || known->type != FieldType::kBoolean || known->nullable) {
      members.fail(wanted ? "when" : "unless", "expected a boolean field, found " + field);
    }
    scope.field = field;
    scope.wanted = wanted;
  }
  return scope;
}

std::optional<int> read_dim(Members& members, const std::string& name) {
  if (members.get(name).is_null()) return std::nullopt;
  return static_cast<int>(members.integer(name, 0, kMostDims - 1));
}

Parameter read_parameter(const Json& json, const std::string& where, const FieldTable& fields) {
  Members members(json, where);
  Parameter parameter;
  parameter.name = members.text("name");
  parameter.partition_dim = read_dim(members, "partition_dim");
  parameter.hidden_dim = read_dim(members, "hidden_dim");
  for (const Json& entry : members.array("in")) {
    Members in(entry, where + ": " + parameter.name);
    Occurrence occurrence;
    occurrence.scope = read_scope(in, fields);
    occurrence.shape = in.texts("shape");
    if (occurrence.shape.empty() || occurrence.shape.size() > kMostDims) {
      in.fail("shape", "expected 1 to 8 dimensions");
    }
    occurrence.optional = in.flag_or("optional", false);
    const std::string equals = in.text_or("equals", "");
    if (!equals.empty()) occurrence.equals = parse_position(in, "equals", equals);
    in.require_all_known();
    parameter.occurrences.push_back(std::move(occurrence));
  }
  members.require_all_known();
  return parameter;
}

TargetRule read_target(const Json& json, const std::string& where, const FieldTable& fields) {
  Members members(json, where);
  TargetRule rule;
  rule.scope = read_scope(members, fields);
  rule.name = members.text("name");
  if (members.find("from") != nullptr) {
    rule.from = members.texts("from");
    if (rule.from.empty()) members.fail("from", "is empty");
  } else {
    const std::string object = members.text("object");
    if (object != "empty" && object != "none") members.fail("object", "expected empty or none");
    rule.object = object == "empty" ? ObjectValue::kEmpty : ObjectValue::kNone;
  }
  if (rule.from.size() > 1) {
    rule.concat_dim = static_cast<int>(members.integer("concat_dim", 0, kMostDims - 1));
  }
  if (const Json* entry = members.find("keep")) {
    Members keep(*entry, where + ": " + rule.name + ": keep");
    rule.keep = Keep{static_cast<int>(keep.integer("dim", 0, kMostDims - 1)), keep.text("count"),
                     keep.text("reason"), keep.flag_or("identifying", false)};
    keep.require_all_known();
    // A cut through parts that lie end to end has no inverse by parts.
    if (rule.from.size() != 1) members.fail("keep", "needs exactly one source");
  }
  members.require_all_known();
  return rule;
}

}  // namespace

NameTable::NameTable(const std::filesystem::path& folder, const FieldTable& fields) {
  const Json savanna = read_json(folder / "shared" / "savanna.json");
  Members source(savanna, "savanna.json");
  source.integer("savanna_version", 1, 1);
  Members places(source.get("positions"), "savanna.json: positions");
  for (const auto& [name, position] : kPositions) {
    positions.emplace_back(position, places.text(name));
  }
  places.require_all_known();
  for (const Json& entry : source.array("parameters")) {
    parameters.push_back(read_parameter(entry, "savanna.json: parameters", fields));
  }
  for (const Json& entry : source.array("dropped")) {
    Members drop(entry, "savanna.json: dropped");
    dropped.push_back({drop.text("ends_with"), drop.text("reason")});
    drop.require_all_known();
  }
  source.require_all_known();

  const Json megatron = read_json(folder / "shared" / "megatron.json");
  Members target(megatron, "megatron.json");
  target.integer("megatron_version", 1, 1);
  layer_prefix = target.text("layer_prefix");
  if (layer_prefix.find(kLayer) == std::string::npos) {
    target.fail("layer_prefix", "expected {layer} in it");
  }
  fp32_filters = target.texts("fp32_filters");
  const Json& assumed = target.get("assumes");
  const Members assumptions(assumed, "megatron.json: assumes");
  for (const auto& [name, value] : assumed.items()) {
    const Field* field = fields.find(name);
    if (field == nullptr) assumptions.fail(name, "no profile has this field");
    assumes.emplace_back(name, parse_value(*field, value, assumptions.where()));
  }
  for (const Json& entry : target.array("targets")) {
    targets.push_back(read_target(entry, "megatron.json: targets", fields));
    for (const std::string& name : targets.back().from) {
      const bool known = std::any_of(parameters.begin(), parameters.end(),
                                     [&](const Parameter& p) { return p.name == name; });
      if (!known) target.fail("targets", "savanna.json has no parameter " + name);
    }
  }
  target.require_all_known();
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
