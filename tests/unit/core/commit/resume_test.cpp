// What of a plan is left to do.
#include "core/commit/resume.h"

#include <gmock/gmock.h>

#include "core/bytes/crc32.h"

namespace ckptbridge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One file of 100 bytes, of which [0, 90) have a checksum at 90.
Layout layout() {
  Layout layout;
  const std::vector<std::byte> data(90);
  layout.add_file("a", 100);
  layout.put_bytes(0, 0, data);
  layout.put_crc32(0, 90, 0, 90);
  layout.put_zeros(0, 94, 6);
  layout.finish();
  return layout;
}

// Tasks of one range each, of these sizes.
Plan plan_of(const std::vector<std::uint32_t>& sizes) {
  Plan plan;
  std::uint64_t begin = 0;
  for (const std::uint32_t size : sizes) {
    plan.ranges.push_back({begin, size, 0, 0});
    plan.first.push_back(plan.ranges.size());
    begin += size;
  }
  return plan;
}

// Ranges of this one file, with their parts of the checksum.
Made made_of(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) {
  Made made;
  for (const auto& [begin, size] : ranges) {
    made.ranges.push_back({0, begin, size});
    if (begin < 90)
      made.parts.push_back({0, 0, begin, std::min<std::uint64_t>(size, 90 - begin), 1});
  }
  return made;
}

std::vector<std::uint64_t> begins(const Plan& plan) {
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < plan.task_count(); ++i) begins.push_back(plan.task(i)[0].begin);
  return begins;
}

// Every byte is made by one task, or was made before; and so for the checksum.
void expect_each_byte_once(const Plan& rest, const Made& made) {
  std::vector<int> bytes(100);
  std::vector<int> parts(90);
  for (const OutputRange& range : rest.ranges) {
    for (std::uint64_t at = range.begin; at < range.begin + range.size; ++at) {
      ++bytes[at];
      if (at < 90) ++parts[at];
    }
  }
  for (const MadeRange& range : made.ranges) {
    for (std::uint64_t at = range.begin; at < range.begin + range.size; ++at) ++bytes[at];
  }
  for (const ChecksumPart& part : made.parts) {
    for (std::uint64_t at = part.begin; at < part.begin + part.size; ++at) ++parts[at];
  }
  EXPECT_THAT(bytes, ::testing::Each(1));
  EXPECT_THAT(parts, ::testing::Each(1));
}

TEST(Remaining, IsAllIfNothingIsMade) {
  const Plan plan = plan_of({40, 60});
  Made made;
  EXPECT_THAT(begins(remaining(plan, layout(), made)), ElementsAre(0, 40));
}

TEST(Remaining, IsNothingIfAllIsMade) {
  const Plan plan = plan_of({40, 60});
  Made made = made_of({{0, 40}, {40, 60}});
  const Plan rest = remaining(plan, layout(), made);
  EXPECT_EQ(rest.task_count(), 0u);
  EXPECT_EQ(made.size(), 100u);
  expect_each_byte_once(rest, made);
}

TEST(Remaining, IsTheTasksThatAreNotMade) {
  const Plan plan = plan_of({10, 20, 30, 40});
  Made made = made_of({{10, 20}, {60, 40}});
  const Plan rest = remaining(plan, layout(), made);
  EXPECT_THAT(begins(rest), ElementsAre(0, 30));
  EXPECT_EQ(made.size(), 60u);
  expect_each_byte_once(rest, made);
}

TEST(Remaining, MakesATaskAgainThatIsMadeInPart) {
  const Plan plan = plan_of({50, 50});
  Made made = made_of({{0, 25}, {50, 50}});
  const Plan rest = remaining(plan, layout(), made);
  EXPECT_THAT(begins(rest), ElementsAre(0));
  EXPECT_EQ(made.size(), 50u);
  expect_each_byte_once(rest, made);
}

// Made with tasks of other sizes, the part [0, 60) reaches into a task that is not made.
TEST(Remaining, MakesAllOfAPartOfAChecksumAgainIfATaskTouchesIt) {
  const Plan plan = plan_of({20, 20, 30, 30});
  Made made = made_of({{0, 60}, {70, 30}});
  const Plan rest = remaining(plan, layout(), made);
  EXPECT_THAT(begins(rest), ElementsAre(0, 20, 40));
  EXPECT_EQ(made.size(), 30u);
  expect_each_byte_once(rest, made);
}

TEST(Remaining, IsEachByteOnceHoweverThePlanWasCut) {
  const std::vector<std::vector<std::uint32_t>> cuts = {
      {100}, {50, 50}, {10, 80, 10}, {33, 33, 34}, {5, 5, 30, 50, 10}, {90, 10}, {99, 1}};
  for (const auto& before : cuts) {
    for (const auto& now : cuts) {
      for (std::uint32_t done = 0; done < 1u << before.size(); ++done) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        std::uint64_t begin = 0;
        for (std::size_t i = 0; i < before.size(); begin += before[i++]) {
          if ((done >> i & 1) != 0) ranges.emplace_back(begin, before[i]);
        }
        Made made = made_of(ranges);
        const Plan rest = remaining(plan_of(now), layout(), made);
        expect_each_byte_once(rest, made);
      }
    }
  }
}

TEST(Difference, NamesTheFirstThingThatIsAnother) {
  const Identity one = {"1", "p", {{"/a", 5, 7}}};
  EXPECT_EQ(difference(one, one), "");
  EXPECT_EQ(difference(one, {"2", "p", one.sources}), "it was done by 1, this is 2");
  EXPECT_EQ(difference(one, {"1", "q", one.sources}), "its options were others");
  EXPECT_EQ(difference(one, {"1", "q", {{"/b", 5, 7}}}), "it read /a, this reads /b");
  EXPECT_EQ(difference(one, {"1", "p", {{"/a", 6, 7}}}), "/a had 5 bytes then, and has 6 now");
  EXPECT_EQ(difference(one, {"1", "p", {{"/a", 5, 8}}}), "/a was written to since");
  EXPECT_EQ(difference(one, {"1", "p", {}}), "it read 1 files, this reads 0");
}

}  // namespace
}  // namespace ckptbridge
