#include "plugins/evo2/profile_schema.h"

#include <string>

namespace ckptbridge::evo2 {
namespace {

Json rule_of(const Field& field) {
  Json rule = Json::object();
  const auto type = [&](const char* name) {
    rule["type"] = field.nullable ? Json::array({name, "null"}) : Json(name);
  };
  switch (field.type) {
    case FieldType::kBoolean:
      type("boolean");
      break;
    case FieldType::kInteger:
    case FieldType::kNumber:
      type(field.type == FieldType::kInteger ? "integer" : "number");
      rule["minimum"] = field.least.value_or(-kMostNumber);
      rule["maximum"] = kMostNumber;
      break;
    case FieldType::kText:
      type("string");
      rule["maxLength"] = kLongestText;
      if (field.letters.empty()) break;
      rule["minLength"] = 1;
      rule["pattern"] = "^[" + field.letters + "]+$";
      break;
    default:
      for (const char* dtype : kDtypes) rule["enum"].push_back(dtype);
      if (field.nullable) rule["enum"].push_back(nullptr);
  }
  return rule;
}

// What every profile has, whatever the fields are.
Json identity() {
  const Json names = {{"type", "array"}, {"items", {{"type", "string"}}}};
  return {
      {"profile_version", {{"const", 1}}},
      {"comment", Json::object()},
      {"name",
       {{"type", "string"}, {"minLength", 1}, {"maxLength", 64}, {"pattern", "^[A-Za-z0-9_.-]+$"}}},
      {"aliases", names},
      {"inherits", {{"type", "string"}}},
      {"nemo_class",
       {{"type", {"string", "null"}}, {"maxLength", 64}, {"pattern", "^[A-Za-z_][A-Za-z0-9_]*$"}}},
      {"notes", names}};
}

}  // namespace

Json profile_schema(const FieldTable& fields) {
  Json properties = identity();
  Json required = Json::array();
  Json lengths = Json::object();
  for (const Field& field : fields.all()) {
    if (field.type == FieldType::kReference || field.type == FieldType::kFixed) continue;
    properties[field.name] = rule_of(field);
    if (!field.default_value) required.push_back(field.name);
    if (!field.length_of.empty()) lengths[field.name] = field.length_of;
  }
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"title", "A model size for ckptbridge (Evo2)"},
          {"description",
           "Made of fields.json. x-resolved is about a profile together with what "
           "it inherits."},
          {"type", "object"},
          {"required", {"profile_version", "name"}},
          {"additionalProperties", false},
          {"properties", properties},
          {"x-resolved", {{"required", required}, {"lengths", lengths}}}};
}

}  // namespace ckptbridge::evo2
