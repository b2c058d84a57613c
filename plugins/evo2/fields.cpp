#include "plugins/evo2/fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ckptbridge/error.hpp"
#include "core/text/json_file.h"
#include "core/text/json_object.h"

namespace ckptbridge::evo2 {
namespace {

constexpr std::array<std::pair<const char*, FieldType>, 7> kTypes{{
    {"boolean", FieldType::kBoolean},
    {"integer", FieldType::kInteger},
    {"number", FieldType::kNumber},
    {"string", FieldType::kText},
    {"dtype", FieldType::kDtype},
    {"reference", FieldType::kReference},
    {"fixed", FieldType::kFixed},
}};

std::string expectation(const Field& field) {
  std::string least = field.least ? " of at least " + std::to_string(*field.least) : "";
  std::string out;
  switch (field.type) {
    case FieldType::kBoolean:
      out = "true or false";
      break;
    case FieldType::kInteger:
      out = "an integer" + least;
      break;
    case FieldType::kNumber:
      out = "a number" + least;
      break;
    case FieldType::kText:
      out = field.letters.empty() ? "a text of at most 4096 characters"
                                  : "1 to 4096 letters of " + field.letters;
      break;
    case FieldType::kDtype:
      out = "bfloat16, float16 or float32";
      break;
    default:
      out = "nothing: a profile cannot set this field";
      break;
  }
  return field.nullable ? out + ", or null" : out;
}

std::optional<Value> typed_value(const Field& field, const Json& json) {
  if (json.is_null()) return field.nullable ? std::optional<Value>(Value()) : std::nullopt;
  switch (field.type) {
    case FieldType::kBoolean:
      if (json.is_boolean()) return Value(json.get<bool>());
      break;
    case FieldType::kInteger:
      if (json.is_integer() && json.get<double>() <= static_cast<double>(kMostNumber)) {
        const auto number = json.get<std::int64_t>();
        if (number >= field.least.value_or(-kMostNumber)) return Value(number);
      }
      break;
    case FieldType::kNumber:
      if (json.is_number() && std::abs(json.get<double>()) <= static_cast<double>(kMostNumber) &&
          (!field.least || json.get<double>() >= static_cast<double>(*field.least))) {
        if (json.is_integer()) return Value(json.get<std::int64_t>());
        return Value(json.get<double>());
      }
      break;
    case FieldType::kText:
      if (json.is_string() && json.text().size() <= kLongestText &&
          (field.letters.empty() ||
           (!json.text().empty() &&
            json.text().find_first_not_of(field.letters) == std::string::npos))) {
        return Value(json.text());
      }
      break;
    case FieldType::kDtype:
      if (std::find(kDtypes.begin(), kDtypes.end(), json) != kDtypes.end()) {
        return Value(json.text());
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

Field read_field(JsonObject& members, bool in_configuration) {
  Field field;
  field.name = members.string("name");
  field.in_configuration = in_configuration;
  std::string type = members.string("type");
  if (type.ends_with('?')) {
    field.nullable = true;
    type.pop_back();
  }
  bool known = false;
  for (const auto& [name, value] : kTypes) {
    if (type == name) {
      field.type = value;
      known = true;
    }
  }
  if (!known) members.refuse("type", "unknown type \"" + type + "\"");
  if (members.find("min") != nullptr)
    field.least = members.integer("min", -kMostNumber, kMostNumber);
  field.letters = members.string_or("letters", "");
  field.length_of = members.string_or("length_of", "");
  field.always_explicit = members.boolean_or("explicit", false);
  field.called = members.boolean_or("call", false);
  if (const Json* value = members.find("default")) {
    if (field.type == FieldType::kReference) {
      field.default_value = Value(members.string("default"));
    } else if (field.type == FieldType::kFixed) {
      field.default_value = Value();
    } else {
      field.default_value = parse_value(field, *value, members.where());
    }
  }
  members.require_all_read();
  return field;
}

}  // namespace

Value parse_value(const Field& field, const Json& json, const std::string& where) {
  const std::optional<Value> value = typed_value(field, json);
  if (!value) {
    throw Error(CKB_CORRUPT, where + ": " + field.name + ": expected " + expectation(field) +
                                 ", found " + json.shown());
  }
  return *value;
}

FieldTable::FieldTable(const std::filesystem::path& file) {
  const Json json = read_json(file);
  JsonObject members(json, file.filename().string());
  members.integer("fields_version", 1, 1);
  module_ = members.string("module");
  for (const char* section : {"configuration", "model"}) {
    for (JsonObject& entry : members.objects(section)) {
      fields_.push_back(read_field(entry, std::string_view(section) == "configuration"));
    }
  }
  members.require_all_read();
}

const Field* FieldTable::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace ckptbridge::evo2
