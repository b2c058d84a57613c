// Disks and neighbours that make trouble: each run ends with one clear message, and leaves nothing.
#include <fstream>

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/faults/nemo_run.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Disk : public NemoRun {};

TEST_F(Disk, ServesOneRunOfTwoIntoOneDestination) {
  const Tree whole = expected();
  const FaultyRun second(folder_.path());
  const pid_t child = run_.start(words(), "slow:20");
  wait_until_there(folder_ / "out.ckptbridge-partial/lock");
  const Ended refused = second.run(words());
  EXPECT_EQ(refused.code, 5);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(std::to_string(child)), HasSubstr("works on it")));
  EXPECT_EQ(second.run(words({"--overwrite", "--resume"})).code, 5);
  EXPECT_EQ(run_.wait(child).code, 0);
  EXPECT_TRUE(tree_of(out()) == whole);
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Disk, WithASourceThatChangesWhileItIsReadGivesNoOutput) {
  const pid_t child = run_.start(words(), "slow:20");
  wait_until_there(folder_ / "out.ckptbridge-partial/lock");
  std::ofstream((folder_ / "in/model.pt").string(), std::ios::app) << "x";
  const Ended ended = run_.wait(child);
  EXPECT_EQ(ended.code, 6);
  EXPECT_THAT(ended.err, HasSubstr("changed while it was read"));
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Disk, FromWhichTheStagingFolderVanishesIsAnErrorOfTheDisk) {
  const pid_t child = run_.start(words(), "slow:20");
  wait_until_there(folder_ / "out.ckptbridge-partial/lock");
  fs::rename(folder_ / "out.ckptbridge-partial", folder_ / "elsewhere");
  const Ended ended = run_.wait(child);
  EXPECT_EQ(ended.code, 6) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("out.ckptbridge-partial"));
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(Disk, ThatMayNotBeWrittenToIsNamed) {
  auto arguments = words();
  arguments[2] = "/proc/ckptbridge-test";
  const Ended ended = run_.run(arguments);
  EXPECT_EQ(ended.code, 6) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("/proc/ckptbridge-test"));
}

TEST_F(Disk, WithALimitOnFileSizesIsNamed) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit = {100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const pid_t inner = run_.start(words());
    const Ended ended = run_.wait(inner);
    const bool is_told = ended.err.find("`ulimit -f`") != std::string::npos;
    ::_exit(is_told ? ended.code : 99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 6);
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_THAT(left(), IsEmpty());
}

#ifdef CKPTBRIDGE_CAN_MOUNT
// A file system of so many bytes, for as long as this lives.
class SmallDisk {
 public:
  SmallDisk(const fs::path& path, const std::string& size) : path_(path) {
    fs::create_directory(path);
    EXPECT_EQ(::mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()), 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    ::umount(path_.c_str());
    fs::remove(path_);
  }

 private:
  fs::path path_;
};

TEST_F(Disk, ThatIsTooSmallIsFoundBeforeWork) {
  const SmallDisk disk(folder_ / "small", "128k");
  auto arguments = words();
  arguments[2] = (folder_ / "small/out").string();
  const Ended ended = run_.run(arguments);
  EXPECT_EQ(ended.code, 6);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("the output needs"), HasSubstr("are free")));
  EXPECT_THAT(TempFolder::tree_of(folder_ / "small"), IsEmpty());
}

TEST_F(Disk, ThatFillsUpMeanwhileLosesNothingOfAnEarlierOutput) {
  const SmallDisk disk(folder_ / "small", "4m");
  auto arguments = words();
  arguments[2] = (folder_ / "small/out").string();
  ASSERT_EQ(run_.run(arguments).code, 0);
  const Tree before = tree_of(folder_ / "small/out");
  arguments.push_back("--overwrite");
  const pid_t child = run_.start(arguments, "slow:20");
  wait_until_there(folder_ / "small/out.ckptbridge-partial/lock");
  std::ofstream fill((folder_ / "small/fill").string(), std::ios::binary);
  const std::string much(8u << 20, 'x');
  fill << much << std::flush;
  const Ended ended = run_.wait(child);
  EXPECT_EQ(ended.code, 6);
  EXPECT_THAT(ended.err, HasSubstr("the disk is full"));
  EXPECT_TRUE(tree_of(folder_ / "small/out") == before);
  EXPECT_FALSE(fs::exists(folder_ / "small/out.ckptbridge-partial"));
}

TEST_F(Disk, OfAFolderThatIsAMountPointGetsTheOutputInside) {
  const SmallDisk disk(out(), "4m");
  const Tree whole = expected();
  ASSERT_EQ(run_.run(words()).code, 0);
  EXPECT_TRUE(tree_of(out()) == whole);
}
#endif

class Overwrite : public NemoRun {
 protected:
  // Refused with exit code 5 or 2, and all is as it was.
  void expect_refused(const std::string& out, const std::string& why) {
    const Tree before = tree_of(folder_.path());
    auto arguments = words({"--overwrite"});
    arguments[2] = out;
    const Ended ended = run_.run(arguments);
    EXPECT_THAT(ended.code, testing::AnyOf(2, 5)) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(why));
    EXPECT_TRUE(tree_of(folder_.path()) == before);
  }
};

TEST_F(Overwrite, IsRefusedWhereAForeignFileLies) {
  ASSERT_EQ(run_.run(words()).code, 0);
  folder_.write("out/context/notes.txt", "mine");
  expect_refused(out().string(), "context/notes.txt is something else");
}

TEST_F(Overwrite, IsRefusedForAFolderThatHoldsTheInput) {
  expect_refused(folder_.path().string(), "contains the input");
}

TEST_F(Overwrite, IsRefusedForAFolderLikeHome) {
  folder_.write("home/.bashrc", "");
  folder_.write("home/model/weights", "");
  expect_refused((folder_ / "home").string(), ".bashrc is something else");
}

}  // namespace
}  // namespace ckptbridge
