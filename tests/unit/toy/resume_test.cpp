// An interrupted conversion, and what a later run makes of it.
#include "core/commit/resume.h"

#include <numeric>

#include <gmock/gmock.h>

#include "core/bytes/crc32.h"
#include "core/compare/expectations.h"
#include "core/execute/execute.h"
#include "core/pipeline.h"
#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = boost::filesystem;

// So little memory that the work is many tasks.
constexpr std::uint64_t kLittleMemory = 600u << 10;

Settings settings(bool resume, std::uint64_t memory = kLittleMemory, unsigned threads = 1) {
  Settings settings;
  settings.reading.limits = {threads, memory};
  settings.resume = resume;
  return settings;
}

// As make_output(), but the user stops it when these of the tasks are made.
template <typename IsMade>
Error interrupt(const Conversion& run, IsMade is_made) {
  const Arena& arena = *run.source.arena;
  Staging staging(destination_of(run, false));
  OutputFiles output(staging.folder());
  const Identity identity = make_identity(run.chain, arena, run.layout);
  const JournalHead head{identity, run.layout.total_size(),
                         numbers_of(find_unequal(arena, run.plan.buffers, {}))};
  Made made = begin_output(run.layout, identity, true, staging, output);
  Journal journal(staging.partial(), head, output, arena.checksums, UINT64_MAX, made);
  Plan some = remaining(run.plan, run.layout, made);
  const Plan all = some;
  some.ranges.clear();
  some.first = {0};
  for (std::uint64_t i = 0; i < all.task_count(); ++i) {
    if (!is_made(i)) continue;
    for (const OutputRange& range : all.task(i)) some.ranges.push_back(range);
    some.first.push_back(some.ranges.size());
  }
  arena.checksums.go_on(made.storages);
  execute(arena, run.layout, some, output, false, {}, made.parts,
          [&](auto ranges, auto parts) { journal.add(ranges, parts); });
  return thrown_by([&] { stop(journal, staging, head.total); });
}

class Resume : public testing::Test {
 protected:
  Resume() {
    std::vector<double> elements(150'000);
    std::iota(elements.begin(), elements.end(), 0.1);
    toy_.file("a", elements).file("b", std::vector<double>(500, 2.5));
    toy_.tensor({{"name", "w"}, {"file", "a"}, {"shape", {150'000}}, {"dtype", "float64"}});
    toy_.tensor({{"name", "v"}, {"file", "b"}, {"shape", {500}}, {"dtype", "float64"}});
  }

  std::unique_ptr<ToyRun::Done> plan(bool resume, std::uint64_t memory = kLittleMemory,
                                     unsigned threads = 1) {
    return toy_.plan({{"cast", "float32"}}, {}, settings(resume, memory, threads));
  }
  // Runs to the end; returns the bytes read meanwhile.
  std::uint64_t finish(bool resume, std::uint64_t memory = kLittleMemory, unsigned threads = 1) {
    const auto run = plan(resume, memory, threads);
    const std::uint64_t before = run->source.arena->sources.bytes_read();
    run->outcome = convert(*run, settings(resume, memory, threads));
    return run->source.arena->sources.bytes_read() - before;
  }
  // What a run that nobody interrupts makes.
  void expect_output() {
    const TempFolder elsewhere;
    const std::string w = toy_.output_bytes("w.0");
    const std::string v = toy_.output_bytes("v.0");
    EXPECT_THAT(toy_.left_behind(), ElementsAre("out"));
    fs::remove_all(toy_.folder() / "out");
    finish(false);
    EXPECT_TRUE(w == toy_.output_bytes("w.0"));
    EXPECT_TRUE(v == toy_.output_bytes("v.0"));
  }
  void interrupt_after(std::uint64_t tasks) {
    const auto run = plan(true);
    ASSERT_GT(run->plan.task_count(), 8u);
    interrupt(*run, [&](std::uint64_t i) { return i < tasks; });
  }

  ToyRun toy_;
};

TEST_F(Resume, SaysHowMuchIsMadeAndWhatToType) {
  const auto run = plan(false);
  const Error error = interrupt(*run, [](std::uint64_t i) { return i % 2 == 0; });
  EXPECT_EQ(error.code(), CKB_CANCELLED);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("stopped as asked"), HasSubstr("KiB are made"),
                                  HasSubstr("--resume")));
  EXPECT_THAT(toy_.left_behind(), ElementsAre("out.ckptbridge-partial"));
  EXPECT_FALSE(fs::exists(toy_.folder() / "out.ckptbridge-partial/lock"));
}

TEST_F(Resume, LeavesNothingIfNothingWasMade) {
  {
    const auto run = plan(false);
    const Error error = interrupt(*run, [](std::uint64_t) { return false; });
    EXPECT_EQ(error.code(), CKB_CANCELLED);
    EXPECT_THAT(error.what(), Not(HasSubstr("--resume")));
  }
  EXPECT_THAT(toy_.left_behind(), IsEmpty());
}

TEST_F(Resume, GivesTheSameBytesWhereverItWasStopped) {
  const std::uint64_t whole = finish(false);
  const std::uint64_t tasks = plan(false)->plan.task_count();
  for (std::uint64_t stop = 1; stop <= tasks; ++stop) {
    fs::remove_all(toy_.folder() / "out");
    {
      const auto run = plan(true);
      interrupt(*run, [&](std::uint64_t i) { return i < stop; });
    }
    EXPECT_LT(finish(true), whole) << "what is made was made again";
    expect_output();
  }
}

TEST_F(Resume, GoesOnWithWorkThatIsMadeHereAndThere) {
  {
    const auto run = plan(true);
    interrupt(*run, [](std::uint64_t i) { return i % 3 == 1; });
  }
  finish(true);
  expect_output();
}

TEST_F(Resume, MayBeInterruptedAgainAndAgain) {
  for (int round = 0; round < 4; ++round) interrupt_after(2);
  finish(true);
  expect_output();
}

// Whichever of the runs read it: the last one does not end well.
TEST_F(Resume, FindsAByteThatWasChangedInASourceOfWhichEachRunReadAPart) {
  const auto plan_with_checksum = [&] {
    auto run = plan(true);
    const std::string a = TempFolder::text_of(toy_.folder() / "in/a");
    const std::uint32_t crc = crc32(std::as_bytes(std::span(a)));
    for (const auto& [place, storage] : run->source.arena->storages.all()) {
      if (storage.size != a.size()) continue;
      run->source.arena->checksums.expect(place.first, place.second, storage.size, crc ^ 1,
                                          "record data/0");
    }
    return run;
  };
  const std::uint64_t tasks = plan(false)->plan.task_count();
  ASSERT_GT(tasks, 8u);
  const auto stop_after = [&](std::uint64_t count) {
    const auto run = plan_with_checksum();
    interrupt(*run, [&](std::uint64_t i) { return i < count; });
  };
  stop_after(tasks / 2);
  stop_after(tasks / 4);
  const Error error = thrown_by([&] { convert(*plan_with_checksum(), settings(true)); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  EXPECT_THAT(error.what(), HasSubstr("record data/0 was changed after it was written"));
  EXPECT_FALSE(fs::exists(toy_.folder() / "out"));
}

// 150,000 elements of float32 on two ranks: 1.2 MB that a whole run reads to compare them.
TEST_F(Resume, DoesNotCompareReplicasAgainThatTheJournalKnowsToBeEqual) {
  const std::vector<float> elements(150'000, 0.5F);
  toy_.replicas("same_r", {elements, elements});
  const std::uint64_t whole = [&] {
    const std::uint64_t read = finish(false);
    fs::remove_all(toy_.folder() / "out");
    return read;
  }();
  interrupt_after(1);
  EXPECT_LT(finish(true) + 1'200'000, whole);
  expect_output();
}

TEST_F(Resume, TellsAgainWhichReplicasDiffer) {
  toy_.replicas("same_r", {{1, 2, 3}, {1, 2, 4}});
  const std::vector<OptionText> only_warn{{"cast", "float32"}, {"warn", std::nullopt}};
  const auto whole = toy_.convert(only_warn, {}, settings(false))->outcome.warnings;
  ASSERT_EQ(whole.size(), 1u);
  fs::remove_all(toy_.folder() / "out");
  interrupt(*toy_.plan(only_warn, {}, settings(true)), [](std::uint64_t i) { return i < 2; });
  EXPECT_EQ(toy_.convert(only_warn, {}, settings(true))->outcome.warnings, whole);
}

TEST_F(Resume, DoesNotDependOnThreadsOrMemory) {
  for (const auto& [memory, threads] :
       {std::pair(kLittleMemory / 2, 1u), {kLittleMemory * 3, 1u}, {64ull << 20, 3u}}) {
    fs::remove_all(toy_.folder() / "out");
    interrupt_after(5);
    finish(true, memory, threads);
    expect_output();
  }
}

TEST_F(Resume, StartsIfThereIsNothingToGoOnWith) {
  finish(true);
  expect_output();
}

TEST_F(Resume, IsRefusedWithoutBeingAskedFor) {
  interrupt_after(3);
  const Error error = thrown_by([&] { finish(false); });
  EXPECT_EQ(error.code(), CKB_EXISTS);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("an interrupted run has made"), HasSubstr("--resume"),
                                  HasSubstr("out.ckptbridge-partial to begin anew")));
  finish(true);
  expect_output();
}

TEST_F(Resume, IsRefusedForOtherOptions) {
  interrupt_after(3);
  const auto other = toy_.plan({{"cast", "bfloat16"}}, {}, settings(true));
  const Error error = thrown_by([&] { convert(*other, settings(true)); });
  EXPECT_EQ(error.code(), CKB_EXISTS);
  EXPECT_THAT(error.what(), HasSubstr("its options were others"));
  finish(true);
  expect_output();
}

TEST_F(Resume, IsRefusedForASourceThatWasWrittenToSince) {
  interrupt_after(3);
  const fs::path source = toy_.folder() / "in/b";
  const std::time_t before = fs::last_write_time(source);
  fs::last_write_time(source, before - 100);
  const Error error = thrown_by([&] { finish(true); });
  EXPECT_EQ(error.code(), CKB_EXISTS);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("in/b was written to since"), HasSubstr("begin anew")));
  EXPECT_THAT(toy_.left_behind(), ElementsAre("out.ckptbridge-partial"));
}

TEST_F(Resume, MakesAFileAgainThatIsGoneFromTheStagingFolder) {
  interrupt_after(6);
  fs::remove(toy_.folder() / "out.ckptbridge-partial/output/w.0");
  finish(true);
  expect_output();
}

TEST_F(Resume, BeginsAnewIfTheJournalIsOfAnotherFolder) {
  interrupt_after(6);
  const fs::path output = toy_.folder() / "out.ckptbridge-partial/output";
  fs::rename(output, toy_.folder() / "out.ckptbridge-partial/aside");
  fs::create_directory(output);
  finish(true);
  expect_output();
}

TEST_F(Resume, DoesNothingWhereTheOutputIsComplete) {
  finish(false);
  const std::time_t before = fs::last_write_time(toy_.folder() / "out/w.0");
  const auto run = plan(true);
  EXPECT_TRUE(convert(*run, settings(true)).was_complete);
  EXPECT_EQ(fs::last_write_time(toy_.folder() / "out/w.0"), before);
  EXPECT_THAT(toy_.left_behind(), ElementsAre("out"));
}

TEST_F(Resume, ClearsWhatWasLeftBesideACompleteOutput) {
  interrupt_after(3);
  fs::rename(toy_.folder() / "out.ckptbridge-partial", toy_.folder() / "aside");
  finish(false);
  fs::rename(toy_.folder() / "aside", toy_.folder() / "out.ckptbridge-partial");
  finish(true);
  expect_output();
}

TEST_F(Resume, DoesNotTakeAnOutputForCompleteInWhichAByteIsWrong) {
  finish(false);
  const std::string whole = toy_.output_bytes("w.0");
  // A byte of data, the last byte of data, and the checksum.
  for (const std::size_t at : {std::size_t{0}, whole.size() - 5, whole.size() - 1}) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    toy_.folder().write("out/w.0", wrong);
    EXPECT_EQ(thrown_by([&] { finish(true); }).code(), CKB_EXISTS) << at;
  }
  toy_.folder().write("out/w.0", whole + "x");
  EXPECT_EQ(thrown_by([&] { finish(true); }).code(), CKB_EXISTS);
  toy_.folder().write("out/w.0", whole);
  toy_.folder().write("out/more", "");
  EXPECT_EQ(thrown_by([&] { finish(true); }).code(), CKB_EXISTS);
}

}  // namespace
}  // namespace ckptbridge
