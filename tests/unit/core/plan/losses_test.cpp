#include "core/plan/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LossesTest : public testing::Test {
 protected:
  LossesTest() : graph_(run_.arena) { graph_.add_storage(1, 0, 1024); }

  ckb_node extent(Dtype dtype) {
    const std::int64_t shape[] = {8};
    return graph_.add_extent(1, 0, dtype, shape, {});
  }
  ckb_node cast(ckb_node value, Dtype dtype) { return run_.arena.nodes.add_cast(value, dtype); }
  void add(const std::string& name, ckb_node value) {
    graph_.add_tensor({.name = name, .role = "param", .value = value});
  }
  Losses losses(const boost::filesystem::path& input = "") const {
    return find_losses(graph_, {}, input);
  }

  ExecuteRun run_{1, 512};
  Graph graph_;
};

TEST_F(LossesTest, CountTensorsThatAreRoundedByTheirTypes) {
  add("a", cast(extent(kFloat32), kBFloat16));
  add("b", extent(kFloat32));
  add("c", cast(extent(kFloat32), kBFloat16));
  add("d", cast(extent(kFloat32), kFloat16));
  const auto roundings = losses().roundings;
  ASSERT_EQ(roundings.size(), 2u);
  EXPECT_EQ(roundings[0].from, kFloat32);
  EXPECT_EQ(roundings[0].to, kBFloat16);
  EXPECT_EQ(roundings[0].tensors, 2u);
  EXPECT_EQ(roundings[1].to, kFloat16);
  EXPECT_EQ(roundings[1].tensors, 1u);
}

TEST_F(LossesTest, AreNoneWhereTypesOnlyBecomeWider) {
  add("a", cast(extent(kBFloat16), kFloat32));
  add("b", cast(extent(kFloat16), kFloat32));
  add("c", extent(kInt64));
  EXPECT_THAT(losses().roundings, IsEmpty());
}

TEST_F(LossesTest, AreFoundBelowOtherOperationsAndAmongSeveralInputs) {
  const ckb_node parts[] = {extent(kBFloat16), cast(extent(kFloat32), kBFloat16)};
  add("a",
      cast(run_.arena.nodes.add_slice(run_.arena.nodes.add_concat(parts, 0), 0, 1, 9), kFloat32));
  const auto roundings = losses().roundings;
  ASSERT_EQ(roundings.size(), 1u);
  EXPECT_EQ(roundings[0].from, kFloat32);
  EXPECT_EQ(roundings[0].to, kBFloat16);
}

TEST_F(LossesTest, ListDroppedObjectsByReasonInTheirOrder) {
  for (const char* name : {"one", "two", "three"}) {
    Object object;
    object.name = name;
    object.kind = "json";
    graph_.add_object(object);
  }
  graph_.drop_object("two", "first reason");
  graph_.drop_object("one", "second reason");
  graph_.drop_object("three", "first reason");
  const auto dropped = losses().dropped_objects;
  ASSERT_EQ(dropped.size(), 2u);
  EXPECT_EQ(dropped[0].reason, "first reason");
  EXPECT_THAT(dropped[0].names, ElementsAre("two", "three"));
  EXPECT_THAT(dropped[1].names, ElementsAre("one"));
}

TEST_F(LossesTest, NameFilesOfAFolderThatNobodyOpened) {
  const boost::filesystem::path source(run_.arena.sources.name(1));
  TempFolder folder;
  folder.write("b/unread", "");
  folder.write("a", "");
  boost::filesystem::create_symlink(boost::filesystem::absolute(source), folder / "link");
  EXPECT_THAT(losses(folder.path()).unread, ElementsAre("a", "b/unread"));
  EXPECT_THAT(losses(source).unread, IsEmpty());
}

}  // namespace
}  // namespace ckptbridge
