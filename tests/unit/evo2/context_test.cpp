#include "plugins/evo2/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/json.h"
#include "plugins/evo2/yaml.h"
#include "tests/paths.h"
#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::HasSubstr;

const Catalogue& catalogue() {
  static const Catalogue catalogue(paths::profiles());
  return catalogue;
}

Context context_of(const Profile& profile, const std::string& format) {
  return make_context(profile, catalogue().fields(), catalogue().folder(), format);
}

TEST(Context, OfASizeIsByteForByteWhatNeMoWrites) {
  const Context context = context_of(catalogue().find("7b_arc_longcontext"), "torch_dist");
  EXPECT_EQ(context.io_json, read_file(golden("7b_arc_longcontext.io.json")));
  EXPECT_EQ(context.model_yaml, read_file(golden("7b_arc_longcontext.model.yaml")));
}

TEST(Context, OfAUsersProfileListsItsOverrides) {
  const Context context = context_of(catalogue().read(golden("tiny.json")), "torch_dist");
  EXPECT_EQ(context.io_json, read_file(golden("tiny.io.json")));
  EXPECT_EQ(context.model_yaml, read_file(golden("tiny.model.yaml")));
}

TEST(Context, HoldsForEverySizeAndFormat) {
  for (const auto& row : Json::parse(read_file(golden("digests.json")))) {
    const auto size = row["size"].get<std::string>();
    const Profile profile =
        size == "tiny" ? catalogue().read(golden("tiny.json")) : catalogue().find(size);
    const Context context = context_of(profile, "torch_dist");
    EXPECT_EQ(digest(context.io_json), row["io_torch_dist"].get<std::string>()) << size;
    EXPECT_EQ(digest(context.model_yaml), row["model_yaml"].get<std::string>()) << size;
    EXPECT_EQ(digest(context_of(profile, "zarr").io_json), row["io_zarr"].get<std::string>())
        << size;
  }
}

TEST(Context, WithSubquadraticOpsListsThatField) {
  const Profile profile =
      with_override(catalogue().find("7b"), catalogue().fields(), "use_subquadratic_ops", true);
  const Context context = context_of(profile, "torch_dist");
  auto io = Json::parse(context.io_json);
  auto& items = io["objects"]["hyena7b_config_1"]["items"];
  EXPECT_EQ(items.size(), 18u);
  EXPECT_EQ(items.back()[0], "Attr(name='use_subquadratic_ops')");
  EXPECT_EQ(items.back()[1]["value"], true);
  EXPECT_EQ(io["objects"]["tuple_1"]["items"].back()[1], "use_subquadratic_ops");
  EXPECT_THAT(context.model_yaml, HasSubstr("  use_subquadratic_ops: true\n"));
}

TEST(Context, WithAnotherElementTypeNamesTorchsObject) {
  const Profile profile = with_override(catalogue().find("7b"), catalogue().fields(),
                                        "params_dtype", std::string("float32"));
  const Context context = context_of(profile, "torch_dist");
  EXPECT_THAT(context.model_yaml,
              HasSubstr("  params_dtype:\n    _call_: false\n    _target_: torch.float32\n"));
  const auto io = Json::parse(context.io_json);
  for (const auto& item : io["objects"]["hyena7b_config_1"]["items"]) {
    if (item[0] != "Attr(name='params_dtype')") continue;
    EXPECT_EQ(item[1]["name"], "float32");
    // Fiddle lists every place of one object, the optimizer's too.
    EXPECT_EQ(item[1]["paths"].size(), 6u);
    return;
  }
  FAIL() << "params_dtype is not listed";
}

TEST(Context, NeedsAClassInNeMo) {
  EXPECT_THAT(error_of([] { context_of(catalogue().find("20b"), "zarr"); }),
              HasSubstr("20b: NeMo has no configuration class"));
}

TEST(Yaml, WritesNumbersAsPythonDoes) {
  const Json values = {{"a", 1e-06}, {"b", 0.0001}, {"c", 1e16}, {"d", 1.5e-8}, {"e", 2.0}};
  EXPECT_EQ(dump_yaml(values), "a: 1.0e-06\nb: 0.0001\nc: 1.0e+16\nd: 1.5e-08\ne: 2.0\n");
  EXPECT_EQ(dump_json(values), R"({"a": 1e-06, "b": 0.0001, "c": 1e+16, "d": 1.5e-08, "e": 2.0})");
}

TEST(Yaml, QuotesTextsThatWouldReadAsSomethingElse) {
  const Json values = {{"a", "*SDH"}, {"b", "no"},  {"c", "1e3"},       {"d", "it's: x"},
                       {"e", ""},     {"f", "a b"}, {"g", "line\nend"}, {"h", {"x", 1}}};
  EXPECT_EQ(dump_yaml(values),
            "a: '*SDH'\nb: 'no'\nc: '1e3'\nd: 'it''s: x'\ne: ''\nf: a b\ng: \"line\\nend\"\n"
            "h:\n- x\n- 1\n");
}

}  // namespace
}  // namespace ckptbridge::evo2
