#include "core/commit/lock.h"

#include <atomic>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "tests/unit/core/commit/dead_process.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A process that ran here and is gone.
LockOwner dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  LockOwner owner = this_process();
  owner.pid = child;
  ::waitpid(child, nullptr, 0);
  return owner;
}

TEST(Lock, TellsItsOwner) {
  LockOwner owner;
  EXPECT_TRUE(parse_lock(lock_text(this_process()), owner));
  EXPECT_EQ(owner, this_process());
  EXPECT_EQ(owner.pid, ::getpid());
  EXPECT_FALSE(is_dead(owner));
}

TEST(Lock, ThatWasCutOffIsNotRead) {
  const std::string text = lock_text(this_process());
  LockOwner owner;
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_lock(text.substr(0, size), owner)) << text.substr(0, size);
  }
  EXPECT_FALSE(parse_lock("ckptbridge lock 1\npid -1\nmachine \n", owner));
  EXPECT_FALSE(parse_lock("ckptbridge lock 1\npid 1\nboot ../x\nmachine \n", owner));
}

TEST(Lock, HolderIsDeadOnlyIfThatIsCertain) {
  const LockOwner dead = dead_process();
  EXPECT_TRUE(is_dead(dead));
  LockOwner other = dead;
  other.host += "x";
  EXPECT_FALSE(is_dead(other));
  other = dead;
  other.pidns += 1;
  EXPECT_FALSE(is_dead(other));
  other = dead;
  other.boot = "another";
  other.machine = "";
  EXPECT_FALSE(is_dead(other));
}

TEST(Lock, HolderIsDeadIfItsPidBelongsToALaterProcess) {
  LockOwner earlier = this_process();
  earlier.start -= 1;
  EXPECT_TRUE(is_dead(earlier));
}

TEST(Lock, HolderIsDeadIfTheMachineWasStartedAgain) {
  LockOwner self = this_process();
  self.machine = "one";
  LockOwner owner = self;
  owner.boot = "an-earlier-one";
  EXPECT_TRUE(is_dead(owner, self));
  owner.machine = "another";
  EXPECT_FALSE(is_dead(owner, self));
  self.machine = owner.machine = "";  // as in containers
  EXPECT_FALSE(is_dead(owner, self));
}

TEST(Lock, OfALiveProcessIsRespected) {
  TempFolder folder;
  EXPECT_EQ(lock_folder(folder.path(), "out"), LockResult::kFresh);
  EXPECT_THAT(error_of([&] { lock_folder(folder.path(), "out"); }),
              AllOf(StartsWith("8: out: "), HasSubstr(std::to_string(::getpid())),
                    HasSubstr(this_process().host), HasSubstr("remove")));
}

TEST(Lock, OfAnotherHostIsRespected) {
  TempFolder folder;
  LockOwner owner = dead_process();
  owner.host = "node17";
  folder.write("lock", lock_text(owner));
  EXPECT_THAT(error_of([&] { lock_folder(folder.path(), "out"); }),
              AllOf(StartsWith("8: "), HasSubstr("host node17")));
}

TEST(Lock, ThatCannotBeReadIsRespected) {
  TempFolder folder;
  folder.write("lock", "");
  EXPECT_THAT(error_of([&] { lock_folder(folder.path(), "out"); }),
              AllOf(StartsWith("8: "), HasSubstr("does not tell which")));
}

TEST(Lock, OfADeadProcessIsTakenOver) {
  TempFolder folder;
  folder.write("lock", lock_text(dead_process()));
  EXPECT_EQ(lock_folder(folder.path(), "out"), LockResult::kTakenOver);
  EXPECT_EQ(TempFolder::text_of(folder / "lock"), lock_text(this_process()));
  EXPECT_EQ(folder.tree(), std::set<std::string>{"lock"});
}

// Killed between its takeover file and its lock; and so was the one after it.
TEST(Lock, OfADeadProcessIsTakenOverAfterAHeirThatWasKilled) {
  TempFolder folder;
  std::vector<LockOwner> dead;
  for (int i = 0; i < 3; ++i) {
    LockOwner owner;
    ASSERT_TRUE(parse_lock(dead_lock(), owner));
    owner.start = static_cast<uint64_t>(i + 1);
    dead.push_back(owner);
  }
  const auto takeover = [](const LockOwner& owner) {
    return "takeover-" + std::to_string(owner.pid) + "-" + std::to_string(owner.start) + "-" +
           owner.boot;
  };
  folder.write("lock", lock_text(dead[0]));
  folder.write(takeover(dead[0]), lock_text(dead[1]));
  folder.write(takeover(dead[1]), lock_text(dead[2]));
  EXPECT_EQ(lock_folder(folder.path(), "out"), LockResult::kTakenOver);
  EXPECT_EQ(TempFolder::text_of(folder / "lock"), lock_text(this_process()));
}

TEST(Lock, OfADeadProcessIsTakenOverByOneOnly) {
  const LockOwner dead = dead_process();
  for (int round = 0; round < 8; ++round) {
    TempFolder folder;
    folder.write("lock", lock_text(dead));
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const std::string error = error_of([&] {
          lock_folder(folder.path(), "out");
          ++won;
        });
        if (error.rfind("8: ", 0) == 0) ++lost;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 3);
  }
}

}  // namespace
}  // namespace ckptbridge
