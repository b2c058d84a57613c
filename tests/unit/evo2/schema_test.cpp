// profiles/shared/profile.schema.json, by which `ckptbridge profiles check` and editors judge a
// profile without loading this plugin, says what fields.json and the code say.
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "core/text/json_schema.h"
#include "plugins/evo2/profile.h"
#include "plugins/evo2/profile_schema.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

const Catalogue& catalogue() {
  static const Catalogue catalogue(paths::profiles());
  return catalogue;
}

Json schema() { return profile_schema(catalogue().fields()); }

bool may_be_set(const Field& field) {
  return field.type != FieldType::kReference && field.type != FieldType::kFixed;
}

TEST(Schema, HasTheFieldsOfTheTable) {
  std::vector<std::string> names = {"profile_version", "comment",    "name", "aliases",
                                    "inherits",        "nemo_class", "notes"};
  Json required = Json::array();
  for (const Field& field : catalogue().fields().all()) {
    if (!may_be_set(field)) continue;
    names.push_back(field.name);
    if (!field.default_value) required.push_back(field.name);
  }
  std::vector<std::string> found;
  const Json made = schema();
  for (const auto& [name, rule] : made["properties"].items()) found.push_back(name);
  EXPECT_EQ(found, names);
  EXPECT_EQ(made["x-resolved"]["required"], required);
}

TEST(Schema, IsTheOneThatLiesBesideTheProfilesOfTheBuild) {
  EXPECT_EQ(Json::parse(read_file(std::filesystem::path(paths::plugins()) /
                                  "profiles/shared/profile.schema.json")),
            schema());
}

TEST(Schema, SaysOfEachTypeWhatTheTableSays) {
  const auto rule = [](const char* field) { return schema()["properties"][field].dump(); };
  EXPECT_EQ(rule("use_te"), R"({"type":"boolean"})");
  EXPECT_EQ(rule("hidden_size"), R"({"type":"integer","minimum":1,"maximum":1099511627776})");
  EXPECT_EQ(rule("softmax_scale"),
            R"({"type":["number","null"],"minimum":-1099511627776,"maximum":1099511627776})");
  EXPECT_EQ(rule("autocast_dtype"), R"({"enum":["bfloat16","float16","float32",null]})");
  EXPECT_EQ(rule("hybrid_override_pattern"),
            R"({"type":"string","maxLength":4096,"minLength":1,"pattern":"^[SDH*]+$"})");
  EXPECT_EQ(schema()["x-resolved"]["lengths"]["num_layers"], "hybrid_override_pattern");
}

TEST(Schema, TakesEveryProfileThatThereIs) {
  for (const auto& entry : std::filesystem::directory_iterator(paths::profiles())) {
    if (entry.path().extension() != ".json") continue;
    const auto problems = schema_problems(schema(), Json::parse(read_file(entry.path())));
    EXPECT_EQ(problems, std::vector<std::string>()) << entry.path();
  }
}

TEST(Schema, RefusesWhatTheCodeRefuses) {
  const Json good = Json::parse(read_file(golden("tiny.json")));
  ASSERT_EQ(schema_problems(schema(), good), std::vector<std::string>());
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, Json>>{{"profile_version", 2},
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
    Json bad = good;
    bad[name] = value;
    EXPECT_FALSE(schema_problems(schema(), bad).empty()) << name << " " << value;
    EXPECT_NE(error_of([&] { catalogue().parse(bad, "x"); }), "") << name << " " << value;
  }
}

}  // namespace
}  // namespace ckptbridge::evo2
