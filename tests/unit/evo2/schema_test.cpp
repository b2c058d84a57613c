// profiles/shared/profile.schema.json, by which `ckptbridge profiles check` and editors judge a
// profile without loading this plugin, says what fields.json and the code say.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/text/json_schema.h"
#include "plugins/evo2/profile.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using nlohmann::json;

json schema() {
  return json::parse(
      read_file(std::filesystem::path(paths::profiles()) / "shared" / "profile.schema.json"));
}

const Catalogue& catalogue() {
  static const Catalogue catalogue(paths::profiles());
  return catalogue;
}

bool may_be_set(const Field& field) {
  return field.type != FieldType::kReference && field.type != FieldType::kFixed;
}

json rule_of(const Field& field) {
  const auto most = std::int64_t{1} << 40;
  json rule = json::object();
  const auto type = [&](const char* name) {
    rule["type"] = field.nullable ? json{name, "null"} : json(name);
  };
  switch (field.type) {
    case FieldType::kBoolean:
      type("boolean");
      break;
    case FieldType::kInteger:
    case FieldType::kNumber:
      type(field.type == FieldType::kInteger ? "integer" : "number");
      rule["minimum"] = field.least.value_or(-most);
      rule["maximum"] = most;
      break;
    case FieldType::kText:
      type("string");
      rule["maxLength"] = 4096;
      break;
    default:
      rule["enum"] = {"bfloat16", "float16", "float32"};
      if (field.nullable) rule["enum"].push_back(nullptr);
  }
  if (field.name == "hybrid_override_pattern") {
    rule["minLength"] = 1;
    rule["pattern"] = "^[SDH*]+$";
  }
  return rule;
}

TEST(Schema, HasTheFieldsOfTheTable) {
  json properties = schema()["properties"];
  for (const char* name :
       {"profile_version", "comment", "name", "aliases", "inherits", "nemo_class", "notes"}) {
    EXPECT_EQ(properties.erase(name), 1u) << name;
  }
  json required = json::array();
  for (const Field& field : catalogue().fields().all()) {
    if (!may_be_set(field)) continue;
    EXPECT_EQ(properties[field.name], rule_of(field)) << field.name;
    if (!field.default_value) required.push_back(field.name);
    properties.erase(field.name);
  }
  EXPECT_EQ(properties, json::object()) << "fields that the table has not";
  EXPECT_EQ(schema()["x-resolved"]["required"], required);
}

TEST(Schema, TakesEveryProfileThatThereIs) {
  for (const auto& entry : std::filesystem::directory_iterator(paths::profiles())) {
    if (entry.path().extension() != ".json") continue;
    const auto problems = schema_problems(schema(), json::parse(read_file(entry.path())));
    EXPECT_EQ(problems, std::vector<std::string>()) << entry.path();
  }
}

TEST(Schema, RefusesWhatTheCodeRefuses) {
  const json good = json::parse(read_file(golden("tiny.json")));
  ASSERT_EQ(schema_problems(schema(), good), std::vector<std::string>());
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, json>>{{"profile_version", 2},
                                                 {"name", ""},
                                                 {"name", "a b"},
                                                 {"name", std::string(65, 'a')},
                                                 {"nemo_class", "1A"},
                                                 {"notes", "text"},
                                                 {"aliases", {1}},
                                                 {"num_layers", 7.5},
                                                 {"num_layers", "7"},
                                                 {"hidden_size", 0},
                                                 {"hidden_size", std::uint64_t{1} << 41},
                                                 {"use_te", 1},
                                                 {"use_te", nullptr},
                                                 {"params_dtype", "int8"},
                                                 {"hybrid_override_pattern", "SDX"},
                                                 {"hybrid_override_pattern", ""},
                                                 {"quant_recipe", 1},
                                                 {"attention_backend", "x"},
                                                 {"hiden_size", 64}}) {
    json bad = good;
    bad[name] = value;
    EXPECT_FALSE(schema_problems(schema(), bad).empty()) << name << " " << value;
    EXPECT_NE(error_of([&] { catalogue().parse(Json::parse(bad.dump()), "x"); }), "")
        << name << " " << value;
  }
}

}  // namespace
}  // namespace ckptbridge::evo2
