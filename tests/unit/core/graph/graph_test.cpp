// What a graph refuses of plugins.
#include "core/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/execute/execute_run.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One file of 1000 bytes, of which [100, 900) are declared.
class GraphTest : public testing::Test {
 protected:
  GraphTest() : graph_(run_.arena) { graph_.add_storage(1, 100, 800); }

  ckb_node words(std::uint64_t begin, std::uint64_t end) {
    const std::int64_t shape[] = {static_cast<std::int64_t>(end - begin) / 2};
    return graph_.add_extent(1, begin, kFloat16, shape, {});
  }
  static Object object(const std::string& name, const std::string& kind = "json") {
    Object made;
    made.name = name;
    made.kind = kind;
    return made;
  }
  Tensor tensor(const std::string& name) {
    return {.name = name, .role = "param", .value = words(100, 200)};
  }
  template <class Body>
  void expect_refused(ckb_status code, const std::string& text, Body&& body) {
    const Error error = thrown_by(body);
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), HasSubstr(text));
  }

  ExecuteRun run_{1, 500};
  Graph graph_;
};

TEST_F(GraphTest, HasStoragesInsideItsFiles) {
  graph_.add_storage(1, 900, 100);
  expect_refused(CKB_CORRUPT, "1001 bytes of tensor data at 0 end behind",
                 [&] { graph_.add_storage(1, 0, 1001); });
  expect_refused(CKB_CORRUPT, "end behind", [&] { graph_.add_storage(1, 1001, 0); });
  graph_.add_storage(1, 1000, 0);
}

TEST_F(GraphTest, HasExtentsInsideStorages) {
  words(100, 900);
  words(898, 900);
  for (const std::uint64_t begin : {98, 800, 900}) {
    expect_refused(CKB_CORRUPT, "does not lie inside declared tensor data",
                   [&] { words(begin, begin + 102); });
  }
  // Without elements it lies nowhere.
  EXPECT_EQ(run_.arena.nodes.count(words(0, 0)), 0u);
  EXPECT_THAT(run_.arena.storages.all().begin()->second.extents, SizeIs(2));
}

TEST_F(GraphTest, HasStridedExtentsInsideStorages) {
  const std::int64_t shape[] = {4};
  const std::int64_t strides[] = {100};
  graph_.add_extent(1, 298, kFloat16, shape, strides);
  expect_refused(CKB_CORRUPT, "does not lie inside",
                 [&] { graph_.add_extent(1, 300, kFloat16, shape, strides); });
}

TEST_F(GraphTest, TakesChecksumsOfWholeStoragesOnly) {
  graph_.expect_crc32(1, 100, 800, 7, "record data/0");
  graph_.expect_crc32(1, 0, 0, 7, "record data/1");
  for (const auto& [offset, size] : {std::pair{100, 799}, {102, 798}, {0, 1000}}) {
    expect_refused(CKB_INVALID_ARGUMENT, "record data/2: no tensor data was declared at [",
                   [&, at = offset, bytes = size] {
                     graph_.expect_crc32(1, static_cast<std::uint64_t>(at),
                                         static_cast<std::uint64_t>(bytes), 7, "record data/2");
                   });
  }
}

TEST_F(GraphTest, HasNamesOfText) {
  for (const std::string& name :
       {std::string(), std::string(4097, 'n'), std::string("\xff"), std::string("a\nb")}) {
    EXPECT_EQ(thrown_by([&] { graph_.add_tensor(tensor(name)); }).code(), CKB_CORRUPT);
  }
  graph_.add_tensor(tensor(std::string(4096, 'n')));
}

TEST_F(GraphTest, HasRanksOfTheirWorldOnly) {
  for (const auto& [rank, world] : {std::pair{-1, 2}, {2, 2}, {0, 0}}) {
    Tensor wrong = tensor("w");
    wrong.mp_rank = rank;
    wrong.mp_world_size = world;
    expect_refused(CKB_INVALID_ARGUMENT, "w: model-parallel rank ",
                   [&] { graph_.add_tensor(wrong); });
  }
  Tensor last = tensor("w");
  last.mp_rank = 1;
  last.mp_world_size = 2;
  graph_.add_tensor(last);
}

TEST_F(GraphTest, SplitsTensorsAlongDimensionsThatTheyHave) {
  for (const std::int32_t dim : {1, -3}) {
    Tensor wrong = tensor("w");
    wrong.partition_dim = dim;
    expect_refused(CKB_INVALID_ARGUMENT, "w: partition dim ", [&] { graph_.add_tensor(wrong); });
  }
  Tensor right = tensor("w");
  right.partition_dim = 0;
  graph_.add_tensor(right);
}

TEST_F(GraphTest, HasEachTensorAndObjectOnceOnEachRank) {
  graph_.add_tensor(tensor("w"));
  expect_refused(CKB_CORRUPT, "w: the param is there twice on model-parallel rank 0",
                 [&] { graph_.add_tensor(tensor("w")); });
  Tensor other = tensor("w");
  other.role = "exp_avg";
  graph_.add_tensor(other);
  graph_.add_object(object("w"));
  expect_refused(CKB_CORRUPT, "w: the object is there twice on model-parallel rank 0",
                 [&] { graph_.add_object(object("w")); });
  EXPECT_EQ(graph_.tensors()[1].position, 1u);
  EXPECT_EQ(graph_.objects()[0].position, 2u);
}

TEST_F(GraphTest, HasObjectsOfKnownKindsWithStoragesInARow) {
  for (const char* kind : {"json", "pickle", "bytes"}) graph_.add_object(object(kind, kind));
  expect_refused(CKB_INVALID_ARGUMENT, "state: an object is json, pickle or bytes, not yaml",
                 [&] { graph_.add_object(object("state", "yaml")); });
  Object square = object("state");
  const std::int64_t shape[] = {5, 10};
  square.storages = {graph_.add_extent(1, 100, kFloat16, shape, {})};
  expect_refused(CKB_INVALID_ARGUMENT, "state: a storage of an object has one dimension",
                 [&] { graph_.add_object(square); });
}

TEST_F(GraphTest, HasObjectsOfSixtyFourMebibytesAndNoMore) {
  Object large = object("state");
  large.data.resize(std::size_t{64} << 20);
  graph_.add_object(large);
  large.name = "more";
  large.data.emplace_back();
  expect_refused(CKB_UNSUPPORTED, "more: an object of 67108865 bytes",
                 [&] { graph_.add_object(large); });
}

TEST_F(GraphTest, DropsWhatNoExtentTouches) {
  words(200, 300);
  words(250, 400);
  graph_.drop_untouched(1, 100, 800, "padding");
  ASSERT_THAT(run_.arena.untouched_drops, SizeIs(1));
  EXPECT_THAT(run_.arena.untouched_drops[0].bytes,
              ElementsAre(Interval{100, 200}, Interval{400, 900}));
}

TEST_F(GraphTest, DropsNothingWhereAllIsTouched) {
  words(100, 900);
  graph_.drop_untouched(1, 100, 800, "padding");
  graph_.drop_untouched(1, 0, 0, "padding");
  EXPECT_THAT(run_.arena.untouched_drops, IsEmpty());
}

TEST_F(GraphTest, DropsNoStorageThatWasForgotten) {
  expect_refused(CKB_INTERNAL, "no tensor touches the 800 bytes of tensor data at 100",
                 [&] { graph_.drop_untouched(1, 100, 800, "padding"); });
  expect_refused(CKB_INVALID_ARGUMENT, "no tensor data was declared at [0, 800)",
                 [&] { graph_.drop_untouched(1, 0, 800, "padding"); });
}

TEST_F(GraphTest, ExpectsValuesOfOneFormToBeEqual) {
  const ckb_node value = words(100, 200);
  graph_.expect_equal(value, words(200, 300), "w", false);
  expect_refused(CKB_CORRUPT, "w: [40] of float16 cannot equal [50] of float16",
                 [&] { graph_.expect_equal(value, words(200, 280), "w", false); });
  const std::int64_t shape[] = {50};
  const ckb_node other = graph_.add_extent(1, 100, kBFloat16, shape, {});
  expect_refused(CKB_CORRUPT, "w: [50] of bfloat16 cannot equal [50] of float16",
                 [&] { graph_.expect_equal(value, other, "w", false); });
  EXPECT_THAT(run_.arena.expectations, SizeIs(1));
}

TEST_F(GraphTest, KeepsObjectsOrDropsThemWithAReason) {
  for (const char* name : {"kept", "dropped"}) graph_.add_object(object(name));
  Graph after(run_.arena);
  after.add_object(object("kept"));
  expect_refused(CKB_INTERNAL, "mapper: the object dropped was neither kept nor dropped",
                 [&] { require_objects_kept(graph_, after, "mapper"); });
  after.drop_object("dropped", "why not");
  require_objects_kept(graph_, after, "mapper");
}

}  // namespace
}  // namespace ckptbridge
