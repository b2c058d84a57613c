#include "core/commit/staging.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/core/commit/dead_process.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Tree = std::set<std::string>;

const std::vector<std::string> kPaths = {"weights/metadata.json", "weights/a.distcp",
                                         "context/io.json"};
const Tree kTree = {"weights/", "weights/metadata.json", "weights/a.distcp", "context/",
                    "context/io.json"};

OutputFiles fill(const Staging& staging, const std::string& text = "new") {
  OutputFiles files(staging.folder());
  for (const std::string& path : kPaths) {
    files.write(files.create(path, text.size()), 0, std::as_bytes(std::span(text)));
  }
  return files;
}

void convert(const Destination& destination, const std::string& text = "new") {
  Staging staging(destination);
  OutputFiles files = fill(staging, text);
  staging.commit(files);
}

Destination to(const fs::path& out, bool overwrite = false) {
  return {out, overwrite, kPaths, {"weights/*.distcp"}};
}

// While it lives, the process is nobody: root may write everywhere.
class AsNobody {
 public:
  AsNobody() { is_nobody_ = ::geteuid() != 0 || ::seteuid(kNobody) == 0; }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
  }
  explicit operator bool() const { return is_nobody_; }

  static constexpr uid_t kNobody = 65534;

 private:
  bool is_nobody_ = false;
};

// `folder`/closed/out, which nobody may write to, in a folder which nobody may not. False where
// this machine does not let it be tried.
bool make_out_below_closed_folder(const TempFolder& folder) {
  fs::create_directories(folder / "closed/out");
  if (::geteuid() == 0) {
    if (::chown((folder / "closed/out").c_str(), AsNobody::kNobody, AsNobody::kNobody) != 0) {
      return false;
    }
  }
  fs::permissions(folder / "closed", static_cast<fs::perms>(0555));
  const AsNobody nobody;
  return nobody && ::access((folder / "closed/out").c_str(), W_OK) == 0 &&
         ::eaccess((folder / "closed/out").c_str(), W_OK | X_OK) == 0 &&
         ::eaccess((folder / "closed").c_str(), W_OK) != 0;
}

TEST(Staging, AppearsAsAWholeAndLeavesNothingElse) {
  TempFolder folder;
  Staging staging(to(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_EQ(folder.tree(), (Tree{"out.ckptbridge-partial/", "out.ckptbridge-partial/lock",
                                 "out.ckptbridge-partial/output/"}));
  OutputFiles files = fill(staging);
  EXPECT_FALSE(fs::exists(folder / "out"));
  staging.commit(files);
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "new");
  EXPECT_FALSE(fs::exists(folder / "out.ckptbridge-partial"));
  staging.discard();
  EXPECT_TRUE(fs::exists(folder / "out"));
  EXPECT_THAT(staging.notes(), IsEmpty());
}

TEST(Staging, TakesThePlaceOfAnEmptyFolderAndKeepsItsPermissions) {
  TempFolder folder;
  fs::create_directory(folder / "out");
  fs::permissions(folder / "out", static_cast<fs::perms>(0750));
  convert(to(folder / "out/"));
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_EQ(fs::status(folder / "out").permissions(), static_cast<fs::perms>(0750));
}

TEST(Staging, IsDiscardedWithAllThatItMade) {
  TempFolder folder;
  {
    Staging staging(to(folder / "x/y/out"));
    fill(staging);
    EXPECT_TRUE(fs::exists(folder / "x/y/out.ckptbridge-partial"));
  }
  EXPECT_THAT(folder.tree(), IsEmpty());
  convert(to(folder / "x/y/out"));
  EXPECT_EQ(TempFolder::tree_of(folder / "x/y/out"), kTree);
}

TEST(Staging, LeavesFoldersAboveThatOthersUse) {
  TempFolder folder;
  {
    Staging staging(to(folder / "x/y/out"));
    folder.write("x/other", "");
  }
  EXPECT_EQ(folder.tree(), (Tree{"x/", "x/other"}));
}

TEST(Staging, WorksWithRelativePaths) {
  TempFolder folder;
  const fs::path out = fs::relative(folder / "out");
  convert(to(out));
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
}

TEST(Staging, FollowsALinkToAnEmptyFolder) {
  TempFolder folder;
  fs::create_directories(folder / "real/out");
  fs::create_directory_symlink("real/out", folder / "link");
  convert(to(folder / "link"));
  EXPECT_EQ(TempFolder::tree_of(folder / "real/out"), kTree);
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
}

TEST(Staging, OfARefusedDestinationTouchesNothing) {
  TempFolder folder;
  folder.write("out/x", "");
  folder.write("file", "");
  fs::create_symlink("nowhere", folder / "dangling");
  const Tree before = folder.tree();
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "out")); }), StartsWith("8: "));
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "out", true)); }), StartsWith("8: "));
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "file")); }), StartsWith("8: "));
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "dangling")); }), StartsWith("8: "));
  EXPECT_NE(error_of([&] { Staging staging(to(folder / "file/below/out")); }), "");
  EXPECT_EQ(folder.tree(), before);
}

TEST(Staging, ReplacesAnEarlierOutput) {
  TempFolder folder;
  convert(to(folder / "out"), "old");
  folder.write("out/weights/b.distcp", "old");
  {
    Staging staging(to(folder / "out", true));
    OutputFiles files = fill(staging);
    EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "old");
    staging.commit(files);
  }
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "new");
  EXPECT_FALSE(fs::exists(folder / "out.ckptbridge-partial"));
}

TEST(Staging, DoesNotReplaceWhatCameWhileItRan) {
  TempFolder folder;
  convert(to(folder / "out"), "old");
  Staging staging(to(folder / "out", true));
  OutputFiles files = fill(staging);
  folder.write("out/notes.txt", "");
  EXPECT_THAT(error_of([&] { staging.commit(files); }), HasSubstr("notes.txt"));
  staging.discard();
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "old");
  EXPECT_FALSE(fs::exists(folder / "out.ckptbridge-partial"));

  Staging fresh(to(folder / "out2"));
  OutputFiles more = fill(fresh);
  folder.write("out2/x", "");
  EXPECT_THAT(error_of([&] { fresh.commit(more); }), StartsWith("8: "));
}

TEST(Staging, OfALiveProcessIsNotDisturbed) {
  TempFolder folder;
  Staging staging(to(folder / "out"));
  const Tree before = folder.tree();
  EXPECT_THAT(error_of([&] { Staging second(to(folder / "out")); }),
              AllOf(StartsWith("8: "), HasSubstr(std::to_string(::getpid())),
                    HasSubstr("out.ckptbridge-partial")));
  EXPECT_EQ(folder.tree(), before);
  OutputFiles files = fill(staging);
  staging.commit(files);
}

TEST(Staging, OfADeadProcessIsClearedAndUsed) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/lock", dead_lock());
  folder.write("out.ckptbridge-partial/output/weights/half", "x");
  Staging staging(to(folder / "out"));
  EXPECT_THAT(staging.notes(), ElementsAre(HasSubstr("interrupted run")));
  OutputFiles files = fill(staging);
  staging.commit(files);
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_FALSE(fs::exists(folder / "out.ckptbridge-partial"));
}

TEST(Staging, OfAProcessThatWasKilledWhileItBeganIsUsed) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/lock-1-2-x-3", "ckptbri");
  convert(to(folder / "out"));
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_FALSE(fs::exists(folder / "out.ckptbridge-partial"));
}

TEST(Staging, ThatIsNotOursIsLeftAlone) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/precious", "x");
  folder.write("out2.ckptbridge-partial", "x");
  fs::create_directory(folder / "elsewhere");
  fs::create_directory_symlink("elsewhere", folder / "out3.ckptbridge-partial");
  const Tree before = folder.tree();
  for (const char* name : {"out", "out2", "out3"}) {
    EXPECT_THAT(error_of([&] { Staging staging(to(folder / name)); }),
                AllOf(StartsWith("8: "), HasSubstr("in the way")));
  }
  EXPECT_EQ(folder.tree(), before);
}

// Killed between the two renames that replace an output where entries cannot be exchanged.
TEST(Staging, PutsBackAnEarlierOutputThatADeadProcessMovedAside) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/lock", dead_lock());
  folder.write("out.ckptbridge-partial/output/context/io.json", "new");
  folder.write("out.ckptbridge-partial/replaced/context/io.json", "old");
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "out")); }), HasSubstr("not empty"));
  EXPECT_EQ(folder.tree(), (Tree{"out/", "out/context/", "out/context/io.json"}));
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "old");
}

TEST(Staging, RemovesAnEarlierOutputThatADeadProcessHadReplaced) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/lock", dead_lock());
  folder.write("out.ckptbridge-partial/replaced/context/io.json", "old");
  folder.write("out/context/io.json", "new");
  { Staging staging(to(folder / "out", true)); }
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "new");
  EXPECT_EQ(folder.tree(), (Tree{"out/", "out/context/", "out/context/io.json"}));
}

TEST(Staging, DoesNotChooseBetweenTwoEarlierOutputs) {
  TempFolder folder;
  folder.write("out.ckptbridge-partial/lock", dead_lock());
  folder.write("out.ckptbridge-partial/output/context/io.json", "new");
  folder.write("out.ckptbridge-partial/replaced/context/io.json", "old");
  folder.write("out/context/io.json", "another");
  EXPECT_THAT(error_of([&] { Staging staging(to(folder / "out", true)); }),
              AllOf(StartsWith("8: "), HasSubstr("decide which to keep")));
  EXPECT_EQ(TempFolder::text_of(folder / "out.ckptbridge-partial/replaced/context/io.json"), "old");
  EXPECT_EQ(TempFolder::text_of(folder / "out/context/io.json"), "another");
}

TEST(Staging, IsInsideOutWhereTheFolderAboveIsClosed) {
  TempFolder folder("/tmp");  // which is open to nobody: the folder in which tests run may not be
  if (!make_out_below_closed_folder(folder)) {
    GTEST_SKIP() << "cannot become a user who may not write there";
  }
  const fs::path out = folder / "closed/out";
  const AsNobody nobody;
  {
    Staging staging(to(out));
    EXPECT_EQ(staging.folder(), out / ".ckptbridge-partial/output");
    EXPECT_THAT(error_of([&] { Staging second(to(out)); }), HasSubstr("works on it"));
  }
  EXPECT_THAT(TempFolder::tree_of(out), IsEmpty());
  convert(to(out));
  EXPECT_EQ(TempFolder::tree_of(out), kTree);
  EXPECT_EQ(TempFolder::text_of(out / "weights/metadata.json"), "new");
  EXPECT_THAT(error_of([&] { convert(to(out)); }), HasSubstr("not empty"));
  EXPECT_THAT(error_of([&] { convert(to(out, true)); }),
              AllOf(StartsWith("8: "), HasSubstr("cannot be replaced in one step")));
  EXPECT_EQ(TempFolder::tree_of(out), kTree);
}

// Killed while the entries were moved into OUT.
TEST(Staging, TakesBackWhatADeadProcessHadBegunToMoveIntoOut) {
  TempFolder folder;
  folder.write("out/context/io.json", "new");
  folder.write("out/weights/a.distcp", "new");
  folder.write("out/.ckptbridge-partial/lock", dead_lock());
  folder.write("out/.ckptbridge-partial/publishing", "context\nweights\n");
  folder.write("out/.ckptbridge-partial/last/0", "new");
  fs::create_directory(folder / "out/.ckptbridge-partial/output");
  convert(to(folder / "out"), "newer");
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), kTree);
  EXPECT_EQ(TempFolder::text_of(folder / "out/weights/metadata.json"), "newer");
}

TEST(Staging, KeepsWhatADeadProcessHadMovedIntoOutAsAWhole) {
  TempFolder folder;
  folder.write("out/context/io.json", "new");
  folder.write("out/.ckptbridge-partial/lock", dead_lock());
  folder.write("out/.ckptbridge-partial/publishing", "context\n");
  EXPECT_THAT(error_of([&] { convert(to(folder / "out")); }), HasSubstr("it has context"));
  EXPECT_EQ(folder.tree(), (Tree{"out/", "out/context/", "out/context/io.json"}));
}

TEST(Staging, NeverTakesBackWhatLiesOutsideOut) {
  TempFolder folder;
  folder.write("precious", "x");
  folder.write("out/.ckptbridge-partial/lock", dead_lock());
  folder.write("out/.ckptbridge-partial/publishing", "../precious\n");
  fs::create_directory(folder / "out/.ckptbridge-partial/output");
  EXPECT_NE(error_of([&] { Staging staging(to(folder / "out")); }), "");
  EXPECT_TRUE(fs::exists(folder / "precious"));
}

}  // namespace
}  // namespace ckptbridge
