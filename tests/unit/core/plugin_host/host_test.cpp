#include "core/plugin_host/host.h"

#include <gtest/gtest.h>

#include "core/graph/graph.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

TEST(Host, LendsShapesThatStayWhereTheyAreWhileNodesAreAdded) {
  Arena arena{InputFiles(".")};
  Graph graph(arena);
  const std::int64_t shape[] = {2, 3};
  const std::byte data[24] = {};
  const ckb_node value = arena.nodes.add_constant(kFloat32, shape, data);
  graph.add_tensor({.name = "w", .role = "param", .value = value});

  const Host host({});
  const ckb_graph handle{graph};
  ckb_tensor tensor{};
  tensor.struct_size = sizeof(tensor);
  ASSERT_EQ(host.table()->tensor_at(&handle, 0, &tensor, nullptr), CKB_OK);
  for (int i = 0; i < 10'000; ++i) arena.nodes.add_slice(value, 0, 0, 1);
  EXPECT_EQ(tensor.shape[0], 2);
  EXPECT_EQ(tensor.shape[1], 3);
}

TEST(Graph, TakesNoNameWithControlCharacters) {
  Arena arena{InputFiles(".")};
  Graph graph(arena);
  const std::int64_t shape[] = {1};
  const std::byte data[4] = {};
  const ckb_node value = arena.nodes.add_constant(kFloat32, shape, data);
  EXPECT_EQ(
      error_of(CKB_CORRUPT,
               [&] { graph.add_tensor({.name = "w\x1b[2J", .role = "param", .value = value}); }),
      "tensor name \"w\\x1b[2J\" has control characters");
}

}  // namespace
}  // namespace ckptbridge
