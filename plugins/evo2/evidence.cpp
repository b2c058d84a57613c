#include "plugins/evo2/evidence.h"

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"
#include "plugins/evo2/propose.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::evo2 {
namespace {

namespace tf = ckptbridge::torch_file;

std::optional<Value> scalar(const tf::Values& values, tf::ValueId id) {
  if (const auto flag = values.as_bool(id)) return Value(*flag);
  if (const auto integer = values.as_int(id)) return Value(*integer);
  if (const auto number = values.as_float(id)) return Value(*number);
  if (const auto text = values.as_string(id)) return Value(std::string(*text));
  if (values.kind(id) == tf::Kind::kNone) return Value();
  return std::nullopt;
}

const Value* find(const Settings& settings, const std::string& key) {
  for (const auto& [name, value] : settings) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<double> number(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

// The value as one of the field's type; nothing when it is of another.
std::optional<Value> as_field(const Field& field, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    return field.nullable ? std::optional(value) : std::nullopt;
  }
  switch (field.type) {
    case FieldType::kBoolean:
      return std::holds_alternative<bool>(value) ? std::optional(value) : std::nullopt;
    case FieldType::kText:
      return std::holds_alternative<std::string>(value) ? std::optional(value) : std::nullopt;
    case FieldType::kInteger:
      // Python's configurations write large integers as 1.0e+11 too.
      if (const auto* real = std::get_if<double>(&value)) {
        const bool whole = *real >= -0x1p53 && *real <= 0x1p53 &&
                           static_cast<double>(static_cast<std::int64_t>(*real)) == *real;
        if (!whole) return std::nullopt;
        return Value(static_cast<std::int64_t>(*real));
      }
      [[fallthrough]];
    default:
      return number(value) ? std::optional(value) : std::nullopt;
  }
}

}  // namespace

EvidenceTable::EvidenceTable(const std::filesystem::path& folder, const FieldTable& fields) {
  const Json json = read_json(folder / "shared" / "evidence.json");
  JsonObject members(json, "evidence.json");
  members.integer("evidence_version", 1, 1);
  for (JsonObject& fact : members.objects("facts")) {
    Rule rule;
    rule.field = fields.find(fact.string("field"));
    if (rule.field == nullptr) fact.refuse("field", "no profile has " + fact.string("field"));
    rule.key = fact.string("key");
    rule.unseen = fact.boolean_or("unseen", false);
    rule.like = fact.string_or("like", "");
    if (const Json* nothing = fact.find("nothing")) rule.nothing = to_value(*nothing);
    if (const Json* unless = fact.find("unless")) {
      for (const auto& [key, value] : unless->items())
        rule.unless.emplace_back(key, to_value(value));
    }
    fact.require_all_read();
    rules_.push_back(std::move(rule));
  }
  members.require_all_read();
}

std::vector<Fact> EvidenceTable::facts(const Settings& settings, const std::string& place) const {
  std::vector<Fact> out;
  for (const Rule& rule : rules_) {
    const Value* said = find(settings, rule.key);
    if (said == nullptr) continue;
    std::optional<Value> value = as_field(*rule.field, *said);
    if (!value) continue;
    if (rule.nothing && same_value(*value, *rule.nothing)) value = Value();
    for (const auto& [key, wanted] : rule.unless) {
      const Value* other = find(settings, key);
      if (other != nullptr && *other != wanted) value = Value();
    }
    out.push_back({rule.field->name, *value, rule.key, place, rule.unseen});
  }
  return out;
}

std::vector<Fact> EvidenceTable::nemo_facts(const Settings& config,
                                            const std::string& place) const {
  std::vector<Fact> out;
  for (const Rule& rule : rules_) {
    const Value* said = find(config, rule.field->name);
    if (said == nullptr) continue;
    if (const auto value = as_field(*rule.field, *said)) {
      out.push_back({rule.field->name, *value, rule.field->name, place, rule.unseen});
    }
  }
  return out;
}

Settings EvidenceTable::read_args(std::span<const std::byte> pickle,
                                  const std::string& place) const {
  tf::Values values;
  const tf::ValueId root = tf::unpickle(values, pickle, place).root;
  const bool mapping = tf::is_mapping(values, root);
  if (!mapping && values.kind(root) != tf::Kind::kObject) return {};
  const auto look_up = [&](const std::string& key) {
    return mapping ? tf::find(values, root, key) : tf::attribute(values, root, key);
  };
  Settings out;
  const auto add = [&](const std::string& key) {
    if (find(out, key) != nullptr) return;
    const auto found = look_up(key);
    if (!found) return;
    if (const auto value = scalar(values, *found)) out.emplace_back(key, *value);
  };
  for (const Rule& rule : rules_) {
    add(rule.key);
    for (const auto& [key, wanted] : rule.unless) add(key);
  }
  return out;
}

std::vector<Unseen> EvidenceTable::unseen() const {
  std::vector<Unseen> out;
  for (const Rule& rule : rules_) {
    if (rule.unseen) out.push_back({rule.field->name, rule.like});
  }
  return out;
}

bool same_value(const Value& a, const Value& b) {
  const auto x = number(a);
  const auto y = number(b);
  return x && y ? *x == *y : a == b;
}

std::vector<Fact> contradicted(const Profile& profile, const std::vector<Fact>& facts) {
  std::vector<Fact> out;
  for (const Fact& fact : facts) {
    if (!same_value(profile.values.at(fact.field), fact.value)) out.push_back(fact);
  }
  return out;
}

void require_agreement(const Profile& profile, const Catalogue& catalogue,
                       const std::vector<Fact>& facts) {
  const std::vector<Fact> wrong = contradicted(profile, facts);
  if (wrong.empty()) return;
  std::string message = "the checkpoint contradicts size " + profile.name + ": ";
  for (const Fact& fact : wrong) {
    message += (&fact == &wrong.front() ? "" : "; ") + fact.field + " is " +
               to_text(profile.values.at(fact.field)) + " in " + profile.origin + ", but " +
               fact.key + " in " + fact.place + " says " + to_text(fact.value);
  }
  throw Error(CKB_UNSUPPORTED, message + correction(profile, catalogue, wrong));
}

}  // namespace ckptbridge::evo2
