// Several jobs that fill one OUT, file by file.
#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "core/commit/staging.h"
#include "tests/unit/core/commit/dead_process.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Tree = std::set<std::string>;

constexpr int kJobs = 8;

std::string file_of(int rank) { return "tag/mp_rank_0" + std::to_string(rank) + ".pt"; }

// The job that makes these ranks.
Destination job(const fs::path& out, int first, int last, bool overwrite = false) {
  Destination destination;
  destination.path = out;
  destination.overwrite = overwrite;
  destination.job = std::to_string(first) + "-" + std::to_string(last);
  for (int rank = first; rank <= last; ++rank) destination.paths.push_back(file_of(rank));
  return destination;
}

OutputFiles fill(const Staging& staging, const Destination& destination, const std::string& text) {
  OutputFiles files(staging.folder());
  for (const std::string& path : destination.paths) {
    const std::string content = path + " " + text;
    files.write(files.create(path, content.size()), 0, std::as_bytes(std::span(content)));
  }
  return files;
}

void run(const Destination& destination, const std::string& text = "new") {
  Staging staging(destination);
  OutputFiles files = fill(staging, destination, text);
  staging.commit(files);
}

Tree tree_of_ranks(int first, int last) {
  Tree tree = {"tag/"};
  for (int rank = first; rank <= last; ++rank) tree.insert(file_of(rank));
  return tree;
}

TEST(Jobs, FillOneOutputAndLeaveNothingElse) {
  TempFolder folder;
  run(job(folder / "x/out", 0, 2));
  EXPECT_EQ(TempFolder::tree_of(folder / "x/out"), tree_of_ranks(0, 2));
  run(job(folder / "x/out", 3, 5));
  EXPECT_EQ(TempFolder::tree_of(folder / "x/out"), tree_of_ranks(0, 5));
  EXPECT_EQ(TempFolder::text_of(folder / "x/out/tag/mp_rank_04.pt"), file_of(4) + " new");
}

TEST(Jobs, ShowAFileOnlyWhenAllOfItsJobAreMade) {
  TempFolder folder;
  const Destination destination = job(folder / "out", 0, 1);
  Staging staging(destination);
  OutputFiles files = fill(staging, destination, "new");
  EXPECT_FALSE(fs::exists(folder / "out/tag"));
  staging.commit(files);
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), tree_of_ranks(0, 1));
}

TEST(Jobs, LeaveWhatOthersHaveInOut) {
  TempFolder folder;
  folder.write("out/notes.txt", "mine");
  folder.write("out/tag/mp_rank_07.pt", "of another job");
  fs::create_directories(folder / "out/empty");
  run(job(folder / "out", 0, 1));
  run(job(folder / "out", 0, 1, true));
  Tree expected = tree_of_ranks(0, 1);
  expected.insert({"notes.txt", "empty/", "tag/mp_rank_07.pt"});
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), expected);
  EXPECT_EQ(TempFolder::text_of(folder / "out/tag/mp_rank_07.pt"), "of another job");
}

TEST(Jobs, ReplaceTheirOwnFilesOnlyWithOverwrite) {
  TempFolder folder;
  run(job(folder / "out", 0, 1), "old");
  EXPECT_THAT(error_of([&] { run(job(folder / "out", 1, 2)); }),
              AllOf(StartsWith("8: "), HasSubstr("mp_rank_01.pt: is there already")));
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), tree_of_ranks(0, 1));
  run(job(folder / "out", 1, 2, true));
  EXPECT_EQ(TempFolder::text_of(folder.path() / "out" / file_of(0)), file_of(0) + " old");
  EXPECT_EQ(TempFolder::text_of(folder.path() / "out" / file_of(1)), file_of(1) + " new");
}

TEST(Jobs, NeverReplaceWhatIsNoFile) {
  TempFolder folder;
  fs::create_directories(folder.path() / "out" / file_of(0));
  folder.write("elsewhere", "x");
  fs::create_symlink("../../elsewhere", folder.path() / "out" / file_of(1));
  const Tree before = folder.tree();
  for (const int rank : {0, 1}) {
    EXPECT_THAT(error_of([&] { run(job(folder / "out", rank, rank, true)); }),
                AllOf(StartsWith("8: "), HasSubstr("is there and no file")));
  }
  EXPECT_EQ(folder.tree(), before);
}

TEST(Jobs, DoNotReplaceWhatCameWhileTheyRan) {
  TempFolder folder;
  const Destination destination = job(folder / "out", 0, 1);
  {
    Staging staging(destination);
    OutputFiles files = fill(staging, destination, "new");
    folder.write("out/" + file_of(1), "another's");
    EXPECT_THAT(error_of([&] { staging.commit(files); }), StartsWith("8: "));
  }
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), (Tree{"tag/", file_of(1)}));
  EXPECT_EQ(TempFolder::text_of(folder.path() / "out" / file_of(1)), "another's");
}

TEST(Jobs, ThatFailTakeTheFolderAwayThatTheyMade) {
  TempFolder folder;
  {
    const Destination destination = job(folder / "x/out", 0, 1);
    Staging staging(destination);
    fill(staging, destination, "new");
  }
  EXPECT_THAT(folder.tree(), IsEmpty());
  {
    Staging failing(job(folder / "out", 0, 1));
    run(job(folder / "out", 2, 3));
  }
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), tree_of_ranks(2, 3));
}

TEST(Jobs, OfOneNameExcludeEachOther) {
  TempFolder folder;
  Staging first(job(folder / "out", 0, 1));
  EXPECT_THAT(error_of([&] { Staging second(job(folder / "out", 0, 1)); }),
              AllOf(StartsWith("8: "), HasSubstr("works on it")));
  Staging another(job(folder / "out", 2, 3));
}

TEST(Jobs, ClearWhatAKilledRunOfTheSameNameLeft) {
  TempFolder folder;
  folder.write("out/.ckptbridge-partial-0-1/lock", dead_lock());
  folder.write("out/.ckptbridge-partial-0-1/output/half", "x");
  folder.write("out/.ckptbridge-partial-2-3/lock", dead_lock());
  run(job(folder / "out", 0, 1));
  Tree expected = tree_of_ranks(0, 1);
  expected.insert({".ckptbridge-partial-2-3/", ".ckptbridge-partial-2-3/lock"});
  EXPECT_EQ(TempFolder::tree_of(folder / "out"), expected);
}

TEST(Jobs, HaveNamesThatStayInOut) {
  TempFolder folder;
  Destination destination = job(folder / "out", 0, 1);
  destination.job = "../x";
  EXPECT_NE(error_of([&] { run(destination); }), "");
  EXPECT_THAT(folder.tree(), IsEmpty());
}

// Waits for a byte, then runs a job; its exit code says how it went.
[[noreturn]] void run_in_child(const Destination& destination, int start, bool fails) {
  char byte = 0;
  if (::read(start, &byte, 1) < 0) ::_exit(2);
  try {
    Staging staging(destination);
    OutputFiles files = fill(staging, destination, "new");
    if (!fails) staging.commit(files);
    staging.discard();
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
    ::_exit(1);
  }
  ::_exit(0);
}

// Starts one process for each rank at the same moment; those of odd ranks may be told to fail.
void run_side_by_side(const fs::path& out, bool odd_ones_fail) {
  int start[2];
  ASSERT_EQ(::pipe2(start, O_CLOEXEC), 0);
  std::vector<pid_t> children;
  for (int rank = 0; rank < kJobs; ++rank) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    ::close(start[1]);
    run_in_child(job(out, rank, rank), start[0], odd_ones_fail && rank % 2 != 0);
  }
  ::close(start[0]);
  ::close(start[1]);  // all of them read the end of the file now
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST(Jobs, InEightProcessesAtOnceGiveTheSameAsOne) {
  TempFolder folder;
  run(job(folder / "one", 0, kJobs - 1));
  for (int round = 0; round < 10; ++round) {
    const std::string name = std::to_string(round) + "/out";
    run_side_by_side(folder / name, false);
    EXPECT_EQ(TempFolder::tree_of(folder / name), TempFolder::tree_of(folder / "one"));
    for (int rank = 0; rank < kJobs; ++rank) {
      EXPECT_EQ(TempFolder::text_of(folder.path() / name / file_of(rank)), file_of(rank) + " new");
    }
  }
}

TEST(Jobs, AreNotDisturbedByOthersThatFailBesideThem) {
  TempFolder folder;
  for (int round = 0; round < 10; ++round) {
    const std::string name = std::to_string(round) + "/out";
    run_side_by_side(folder / name, true);
    Tree expected = {"tag/"};
    for (int rank = 0; rank < kJobs; rank += 2) expected.insert(file_of(rank));
    EXPECT_EQ(TempFolder::tree_of(folder / name), expected);
  }
}

}  // namespace
}  // namespace ckptbridge
