// Plugins that were built with an older, a newer and a broken header, under today's host.
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/pipeline.h"
#include "core/plugin_host/search_path.h"
#include "tests/paths.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

class AgeTest : public testing::Test {
 protected:
  AgeTest() { folder_.write("in/data.bin", "twelve bytes"); }

  // reader ! transform ! writer, all of the plugin of this age.
  void convert(const std::string& age) {
    const std::string id = "age." + age;
    Request request;
    request.input = folder_ / "in";
    request.output = folder_ / "out";
    request.folder = folder_.path();
    request.steps = {{id, {}}, {id, {}}, {id, {}}};
    Conversion run = prepare(registry_, request, {});
    EXPECT_EQ(run.target.properties().at("age"), age);
    ckptbridge::convert(run, {});
  }

  void expect_output() const {
    EXPECT_EQ(TempFolder::text_of(folder_ / "out/w"), "twelve bytes");
    EXPECT_EQ(TempFolder::text_of(folder_ / "out/note"), "hello");
  }

 private:
  static SearchPath plugins() {
    SearchPath path;
    path.folders = {{paths::aged_plugins(), Origin::kOption}};
    path.caller = path.installer = geteuid();
    return path;
  }

  TempFolder folder_;
  Registry registry_{plugins()};
};

TEST_F(AgeTest, APluginOfTheFrozenHeaderConverts) {
  convert("frozen");
  expect_output();
}

TEST_F(AgeTest, APluginWhoseTablesAreTenMembersLongerConverts) {
  convert("newer");
  expect_output();
}

TEST_F(AgeTest, APluginWithTablesShorterThanOnePointZeroIsRefused) {
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { convert("short"); }),
              HasSubstr("its tables are shorter than those of ABI 1.0"));
}

}  // namespace
}  // namespace ckptbridge
