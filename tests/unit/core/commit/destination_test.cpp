#include "core/commit/destination.h"

#include <gmock/gmock.h>

#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refusal(const Destination& destination) {
  return error_of([&] { require_destination(destination); });
}

std::string separation(const fs::path& in, const fs::path& out) {
  return error_of([&] { require_separate(in, out); });
}

TEST(Destination, MayBeAbsentOrEmpty) {
  TempFolder folder;
  fs::create_directory(folder / "empty");
  EXPECT_EQ(refusal({folder / "empty", false, {}, {}}), "");
  EXPECT_EQ(refusal({folder / "empty/", true, {}, {}}), "");
  EXPECT_EQ(refusal({folder / "none/below/none", false, {}, {}}), "");
}

TEST(Destination, WithContentIsRefusedAndTheFirstEntryNamed) {
  TempFolder folder;
  folder.write("out/b", "");
  folder.write("out/a", "");
  EXPECT_THAT(refusal({folder / "out", false, {"a", "b"}, {}}),
              AllOf(StartsWith("8: "), HasSubstr("it has a"), HasSubstr("--overwrite")));
}

TEST(Destination, ThatIsNoFolderIsRefused) {
  TempFolder folder;
  folder.write("file", "");
  fs::create_symlink("nowhere", folder / "dangling");
  EXPECT_THAT(refusal({folder / "file", true, {}, {"*"}}),
              AllOf(StartsWith("8: "), HasSubstr("no folder")));
  EXPECT_THAT(refusal({folder / "dangling", true, {}, {"*"}}),
              AllOf(StartsWith("8: "), HasSubstr("link to nowhere")));
  EXPECT_THAT(refusal({"", false, {}, {}}), StartsWith("1: "));
  EXPECT_THAT(refusal({"/", false, {}, {}}), AllOf(StartsWith("1: "), HasSubstr("root")));
  EXPECT_THAT(refusal({"//", false, {}, {}}), StartsWith("1: "));
}

TEST(Destination, IsOverwrittenIfAllInItIsTheWritersOwn) {
  TempFolder folder;
  const Destination destination{
      folder / "out", true, {"weights/common.pt"}, {"weights/*.distcp", "context/io.json"}};
  folder.write("out/weights/common.pt", "");
  folder.write("out/weights/__0_0.distcp", "");
  folder.write("out/context/io.json", "");
  EXPECT_EQ(refusal(destination), "");
}

TEST(Destination, WithAForeignEntryIsNotOverwritten) {
  const std::vector<std::string> foreign = {"notes.txt", "weights/.hidden", "weights/x/y.distcp",
                                            "weights/common.pt/x", "z/"};
  for (const std::string& name : foreign) {
    TempFolder folder;
    folder.write("out/weights/a.distcp", "");
    if (name.back() == '/') {
      fs::create_directories(folder / ("out/" + name));
    } else {
      folder.write("out/" + name, "");
    }
    EXPECT_THAT(refusal({folder / "out", true, {"weights/common.pt"}, {"weights/*.distcp"}}),
                AllOf(StartsWith("8: "), HasSubstr(name + " is something else")));
  }
  TempFolder folder;
  folder.write("elsewhere", "");
  fs::create_directory(folder / "out");
  fs::create_symlink("../elsewhere", folder / "out/a");
  EXPECT_THAT(refusal({folder / "out", true, {"a"}, {"*"}}), HasSubstr("a is something else"));
}

TEST(Destination, AndInputAreSeparate) {
  TempFolder folder;
  fs::create_directories(folder / "in/global_step1");
  fs::create_directories(folder / "out");
  const fs::path in = folder / "in";
  EXPECT_EQ(separation(in, folder / "out"), "");
  EXPECT_EQ(separation(in, folder / "in2"), "");
  EXPECT_EQ(separation(in, folder / "none/none"), "");
  EXPECT_THAT(separation(in, in), AllOf(StartsWith("1: "), HasSubstr("itself")));
  EXPECT_THAT(separation(in, folder / "out/../in/"), HasSubstr("itself"));
  EXPECT_THAT(separation(in, in / "new/out"), HasSubstr("lies in the input"));
  EXPECT_THAT(separation(in / "global_step1", in), HasSubstr("contains the input"));
  EXPECT_THAT(separation(in, folder.path()), HasSubstr("contains the input"));
  EXPECT_THAT(separation("/" + in.string(), in / "x"), HasSubstr("lies in the input"));
  EXPECT_THAT(separation(folder / "none", folder / "out"), StartsWith("2: "));
  EXPECT_THAT(separation(fs::relative(in), in / "x"), HasSubstr("lies in the input"));
  EXPECT_THAT(separation(in, fs::relative(in / "x")), HasSubstr("lies in the input"));
}

TEST(Destination, AndInputAreSeparateThroughLinks) {
  TempFolder folder;
  fs::create_directories(folder / "real/in");
  fs::create_directory_symlink("real/in", folder / "link");
  fs::create_directory_symlink("real", folder / "above");
  EXPECT_THAT(separation(folder / "link", folder / "real/in/out"), HasSubstr("lies in the input"));
  EXPECT_THAT(separation(folder / "link", folder / "real"), HasSubstr("contains the input"));
  EXPECT_THAT(separation(folder / "real/in", folder / "above/in/new"), HasSubstr("lies in"));
  EXPECT_THAT(separation(folder / "above/in", folder / "link"), HasSubstr("itself"));
  // The link lies there, but not what it leads to.
  fs::create_directories(folder / "out");
  fs::create_directory_symlink("../real/in", folder / "out/in");
  EXPECT_EQ(separation(folder / "out/in", folder / "out"), "");
}

TEST(Destination, DoesNotStageOverTheInput) {
  TempFolder folder;
  fs::create_directories(folder / "out.ckptbridge-partial");
  EXPECT_THAT(separation(folder / "out.ckptbridge-partial", folder / "out"),
              HasSubstr("staging folder"));
}

TEST(Destination, HasRoomForTheOutput) {
  TempFolder folder;
  EXPECT_EQ(error_of([&] { require_space(folder / "none/none", 1, 1); }), "");
  EXPECT_EQ(error_of([&] { require_space("none", 1, 1); }), "");
  EXPECT_THAT(error_of([&] { require_space(folder / "out", UINT64_MAX, 1); }),
              AllOf(StartsWith("5: "), HasSubstr("18,446,744,073,709,551,615 bytes")));
}

}  // namespace
}  // namespace ckptbridge
