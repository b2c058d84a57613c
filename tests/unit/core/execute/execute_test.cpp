#include "core/execute/execute.h"

#include <gtest/gtest.h>

#include "core/bytes/crc32.h"
#include "core/compare/compare_values.h"
#include "tests/unit/core/execute/execute_run.h"
#include "tests/unit/core/graph/value_maker.h"

namespace ckptbridge {
namespace {

constexpr ckb_file kFiles = 3;

std::string bytes_of(const Elements& elements) {
  std::string bytes;
  for (const std::uint64_t element : elements) {
    const auto file = static_cast<ckb_file>((element >> kFileShift) + 1);
    const std::size_t index = (element & ((std::uint64_t{1} << kFileShift) - 1)) / 2;
    const std::uint16_t word = ExecuteRun::word(file, index);
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return bytes;
}

std::string little_endian(std::uint32_t number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(number >> 8 * i);
  return bytes;
}

// Files of random values, some of them several times, with bytes and zeros between; each ends with
// the checksum of all that is before. Returns what they should hold.
std::vector<std::string> lay_out(Maker& maker, Layout& layout) {
  std::vector<Made> values;
  for (std::int64_t i = maker.pick(1, 4); i > 0; --i) {
    values.push_back(maker.tree(static_cast<int>(maker.pick(0, 5))));
  }
  std::vector<std::string> contents;
  for (std::int64_t i = maker.pick(1, 4); i > 0; --i) {
    std::string content;
    std::vector<std::pair<std::uint64_t, ckb_node>> places;
    std::vector<std::pair<std::uint64_t, std::string>> literals;
    for (std::int64_t k = maker.pick(1, 4); k > 0; --k) {
      const std::string literal(static_cast<std::size_t>(maker.pick(0, 40)) * 2, 'x');
      literals.emplace_back(content.size(), literal);
      content += literal;
      const Made& made = values[static_cast<std::size_t>(maker.pick(0, std::ssize(values) - 1))];
      places.emplace_back(content.size(), made.node);
      content += bytes_of(made.elements);
    }
    const auto zeros = static_cast<std::size_t>(maker.pick(0, 10000));
    const std::size_t used = content.size();
    content += std::string(zeros, '\0');
    const std::size_t size = content.size();
    content += little_endian(crc32(std::as_bytes(std::span(content))));

    const std::uint32_t file =
        layout.add_file("file" + std::to_string(contents.size()), content.size());
    for (const auto& [at, literal] : literals) {
      layout.put_bytes(file, at, std::as_bytes(std::span(literal)));
    }
    for (const auto& [at, node] : places) layout.put_value(file, at, node, maker.nodes());
    layout.put_zeros(file, used, zeros);
    layout.put_crc32(file, size, 0, size);
    contents.push_back(content);
  }
  layout.finish();
  return contents;
}

bool fits(const Nodes& nodes, std::uint64_t file_size) {
  for (ckb_node node = 1; node <= nodes.node_count(); ++node) {
    if (nodes.op(node) != Op::kExtent) continue;
    if (nodes.offset(node) + nodes.extent_size(node) > file_size) return false;
  }
  return true;
}

TEST(Execute, WritesTheSameForAllThreadsAndMemoryBounds) {
  constexpr std::size_t kWords = 1u << 18;
  ExecuteRun run(kFiles, kWords);
  int checked = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Maker maker(seed, kFiles, 20);
    run.layout = Layout();
    const auto expected = lay_out(maker, run.layout);
    if (!fits(maker.nodes(), kWords * 2)) continue;
    run.arena.nodes = maker.nodes();
    ++checked;
    for (const Limits& limits : {Limits{1, 24u << 10}, {3, 100u << 10}, {2, 128u << 20}}) {
      ASSERT_TRUE(run.execute(limits) == expected)
          << "seed " << seed << ", " << limits.threads << " threads, " << limits.memory << " bytes";
    }
  }
  EXPECT_GT(checked, 50);
}

TEST(Execute, ReadsASourceOnceThatIsSplitAlongColumns) {
  ExecuteRun run(1, 1000 * 4000);
  const ckb_node whole = run.extent(1, 0, {1000, 4000});
  for (int rank = 0; rank < 8; ++rank) {
    run.put("rank" + std::to_string(rank),
            run.arena.nodes.add_slice(whole, 1, rank * 500, rank * 500 + 500));
  }
  run.layout.finish();
  const auto contents = run.execute();
  EXPECT_EQ(run.bytes_read, 1000u * 4000 * 2);
  for (std::size_t rank = 0; rank < 8; ++rank) {
    for (std::size_t row = 0; row < 1000; row += 333) {
      std::uint16_t found = 0;
      std::memcpy(&found, contents[rank].data() + row * 500 * 2, 2);
      EXPECT_EQ(found, ExecuteRun::word(1, row * 4000 + rank * 500));
    }
  }
}

TEST(Execute, ReadsSourcesOnceThatAreJoinedAlongColumns) {
  ExecuteRun run(8, 1000 * 500);
  std::vector<ckb_node> shards;
  for (ckb_file rank = 1; rank <= 8; ++rank) shards.push_back(run.extent(rank, 0, {1000, 500}));
  run.put("whole", run.arena.nodes.add_concat(shards, 1));
  run.layout.finish();
  run.execute();
  EXPECT_EQ(run.bytes_read, 8u * 1000 * 500 * 2);
  EXPECT_EQ(run.opens, 0u);
}

TEST(Execute, ReadsAReplicatedTensorOnceForAllRanks) {
  ExecuteRun run(1, 3 << 19);
  const ckb_node whole = run.extent(1, 0, {3 << 19});
  for (int rank = 0; rank < 8; ++rank) run.put("rank" + std::to_string(rank), whole);
  run.layout.finish();
  const auto contents = run.execute();
  EXPECT_EQ(run.bytes_read, 3u << 20);
  for (const std::string& content : contents) EXPECT_TRUE(content == contents[0]);
}

TEST(Execute, ReadsOnlyTheColumnsThatAreWanted) {
  ExecuteRun run(1, 64 * 16384);
  run.put("filter", run.arena.nodes.add_slice(run.extent(1, 0, {64, 16384}), 1, 0, 128));
  run.layout.finish();
  run.execute();
  EXPECT_EQ(run.bytes_read, 64u * 128 * 2);
}

TEST(Execute, LeavesNearlyNothingInThePageCacheWhereAskedTo) {
  constexpr std::int64_t kWords = 48 << 19;
  ExecuteRun run(1, kWords);
  run.put("file", run.extent(1, 0, {kWords}));
  run.layout.finish();
  run.sync_sources();
  const auto kept = run.execute();
  if (resident_pages(run.folder) < kWords * 2 / 4096) GTEST_SKIP() << "no page cache here";
  EXPECT_TRUE(run.execute({}, true) == kept);
  // Of each, the last 32 MiB.
  EXPECT_LT(run.resident, (65u << 20) / 4096);
}

// A ZeRO-3 checkpoint: each parameter of a model-parallel rank lies in pieces, one in each of its
// data-parallel ranks' files, padded to a whole number of elements.
TEST(Execute, OpensEachFileOfAZero3CheckpointAboutOnce) {
  constexpr ckb_file kDp = 60;
  constexpr ckb_file kMp = 2;
  constexpr std::int64_t kFragment = 31 * 10;
  ExecuteRun run(kDp * kMp, 20 * kFragment, 8);
  for (std::int64_t parameter = 0; parameter < 20; ++parameter) {
    std::vector<ckb_node> shards;
    for (ckb_file mp = 0; mp < kMp; ++mp) {
      std::vector<ckb_node> fragments;
      for (ckb_file dp = 0; dp < kDp; ++dp) {
        fragments.push_back(run.extent(
            1 + mp * kDp + dp, static_cast<std::uint64_t>(parameter * kFragment * 2), {kFragment}));
      }
      const std::int64_t shape[] = {kDp * kFragment / 200, 200};
      shards.push_back(
          run.arena.nodes.add_reshape(run.arena.nodes.add_concat(fragments, 0), shape));
    }
    // Some are joined along rows, and some along columns.
    const std::uint32_t dim = parameter % 3 == 0 ? 1 : 0;
    run.put("parameter" + std::to_string(parameter), run.arena.nodes.add_concat(shards, dim));
  }
  run.layout.finish();
  run.execute();
  EXPECT_EQ(run.bytes_read, std::uint64_t{kDp} * kMp * 20 * kFragment * 2);
  EXPECT_LE(run.opens, std::uint64_t{kDp} * kMp);
}

// Parameters that all model-parallel ranks of it hold alike, compared before anything is written.
TEST(Compare, OpensEachFileOfAZero3CheckpointAboutOnce) {
  constexpr ckb_file kDp = 40;
  constexpr ckb_file kMp = 3;
  constexpr std::int64_t kFragment = 310;
  ExecuteRun run(kDp * kMp, 20 * kFragment, 8);
  const auto parameter_of = [&](ckb_file mp, std::int64_t parameter) {
    std::vector<ckb_node> fragments;
    for (ckb_file dp = 0; dp < kDp; ++dp) {
      fragments.push_back(run.extent(
          1 + mp * kDp + dp, static_cast<std::uint64_t>(parameter * kFragment * 2), {kFragment}));
    }
    return run.arena.nodes.add_concat(fragments, 0);
  };
  std::vector<ValuePair> pairs;
  for (std::int64_t parameter = 0; parameter < 20; ++parameter) {
    const ckb_node kept = parameter_of(0, parameter);
    for (ckb_file mp = 1; mp < kMp; ++mp) pairs.push_back({kept, parameter_of(mp, parameter)});
  }
  const std::uint64_t opened = run.arena.sources.opens();
  const auto found = compare_values(run.arena, run.arena, pairs, make_buffers({}), "check", {}, {});
  EXPECT_LE(run.arena.sources.opens() - opened, std::uint64_t{kDp} * kMp);
  for (const ValueDifference& difference : found) {
    EXPECT_EQ(difference.first, 0u);
    EXPECT_GT(difference.count, std::uint64_t{kDp} * kFragment * 9 / 10);
  }
}

}  // namespace
}  // namespace ckptbridge
