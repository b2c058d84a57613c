#include "plugins/evo2/fields.h"

#include <array>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"

namespace ckptbridge::evo2 {
namespace {

// Keeps products of a few fields far from overflow.
constexpr std::int64_t kMost = std::int64_t{1} << 40;
constexpr std::size_t kLongestText = 4096;

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
      out = "a text of at most 4096 characters";
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
      if (json.is_number_integer() && json.get<double>() <= static_cast<double>(kMost)) {
        const auto number = json.get<std::int64_t>();
        if (number >= field.least.value_or(-kMost)) return Value(number);
      }
      break;
    case FieldType::kNumber:
      if (json.is_number() && std::abs(json.get<double>()) <= static_cast<double>(kMost) &&
          (!field.least || json.get<double>() >= static_cast<double>(*field.least))) {
        if (json.is_number_integer()) return Value(json.get<std::int64_t>());
        return Value(json.get<double>());
      }
      break;
    case FieldType::kText:
      if (json.is_string() && json.get_ref<const std::string&>().size() <= kLongestText) {
        return Value(json.get<std::string>());
      }
      break;
    case FieldType::kDtype:
      if (json == "bfloat16" || json == "float16" || json == "float32") {
        return Value(json.get<std::string>());
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

Field read_field(const Json& json, const std::string& where, bool in_configuration) {
  Members members(json, where);
  Field field;
  field.name = members.text("name");
  field.in_configuration = in_configuration;
  std::string type = members.text("type");
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
  if (!known) members.fail("type", "unknown type \"" + type + "\"");
  if (members.find("min") != nullptr) field.least = members.integer("min", -kMost, kMost);
  field.always_explicit = members.flag_or("explicit", false);
  field.called = members.flag_or("call", false);
  if (const Json* value = members.find("default")) {
    if (field.type == FieldType::kReference) {
      field.default_value = Value(members.text("default"));
    } else if (field.type == FieldType::kFixed) {
      field.default_value = Value();
    } else {
      field.default_value = parse_value(field, *value, where);
    }
  }
  members.require_all_known();
  return field;
}

}  // namespace

Value parse_value(const Field& field, const Json& json, const std::string& where) {
  const std::optional<Value> value = typed_value(field, json);
  if (!value) {
    throw Error(CKB_INVALID_ARGUMENT, where + ": " + field.name + ": expected " +
                                          expectation(field) + ", found " +
                                          json.dump().substr(0, 80));
  }
  return *value;
}

FieldTable::FieldTable(const std::filesystem::path& file) {
  const Json json = read_json(file);
  const std::string where = file.filename().string();
  Members members(json, where);
  members.integer("fields_version", 1, 1);
  module_ = members.text("module");
  for (const char* section : {"configuration", "model"}) {
    for (const Json& entry : members.array(section)) {
      fields_.push_back(read_field(entry, where, std::string_view(section) == "configuration"));
    }
  }
  members.require_all_known();
}

const Field* FieldTable::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace ckptbridge::evo2
