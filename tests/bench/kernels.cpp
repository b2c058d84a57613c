// Micro-benchmarks of what a conversion does most: checksums, casts, gathers, parsing, planning.
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/filesystem.hpp>

#include "core/bytes/crc32.h"
#include "core/bytes/float_cast.h"
#include "core/execute/value_reader.h"
#include "core/plan/coverage.h"
#include "core/plan/plan.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

constexpr std::size_t kTask = 1u << 20;

// Numbers around 1 in every float type.
std::vector<std::byte> numbers(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i % 2 == 1 ? 0x3c + i / 2 % 4 : i * 37);
  }
  return bytes;
}

void crc(benchmark::State& state) {
  const auto bytes = numbers(kTask);
  for (auto _ : state) benchmark::DoNotOptimize(crc32(bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(crc);

void crc_combine(benchmark::State& state) {
  std::uint32_t value = 1;
  for (auto _ : state) benchmark::DoNotOptimize(value = crc32_combine(value, 12345, kTask));
}
BENCHMARK(crc_combine);

// Counts the bytes of the source.
void cast(benchmark::State& state, Dtype from, Dtype to) {
  const auto source = numbers(256u << 10);
  const std::size_t count = source.size() / item_size(from);
  std::vector<std::byte> target(count * item_size(to));
  for (auto _ : state) {
    convert(from, to, source.data(), target.data(), count);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}
BENCHMARK_CAPTURE(cast, float32_to_bfloat16, kFloat32, kBFloat16);
BENCHMARK_CAPTURE(cast, float32_to_float16, kFloat32, kFloat16);
BENCHMARK_CAPTURE(cast, bfloat16_to_float32, kBFloat16, kFloat32);
BENCHMARK_CAPTURE(cast, float16_to_float32, kFloat16, kFloat32);
BENCHMARK_CAPTURE(cast, float64_to_bfloat16, kFloat64, kBFloat16);
BENCHMARK_CAPTURE(cast, float64_to_float32, kFloat64, kFloat32);

// Files of 16 MiB in a folder of their own.
class Files {
 public:
  explicit Files(int count)
      : folder_(boost::filesystem::unique_path("kernels-%%%%%%%%")), arena(make(folder_, count)) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() { boost::filesystem::remove_all(folder_); }

 private:
  static InputFiles make(const boost::filesystem::path& folder, int count) {
    boost::filesystem::create_directories(folder);
    const auto bytes = numbers(16u << 20);
    InputFiles sources(folder);
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(i);
      std::ofstream((folder / name).string(), std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
      sources.open(std::span(&name, 1));
    }
    return sources;
  }

  boost::filesystem::path folder_;

 public:
  Arena arena;
};

// Rows of mlp.w3 of the 7B model: 8 ranks of 1,376 columns.
constexpr std::int64_t kRows = 4096;
constexpr std::int64_t kColumns = 1376;

void join_along_columns(benchmark::State& state) {
  Files files(8);
  std::vector<ckb_node> shards;
  for (ckb_file rank = 1; rank <= 8; ++rank) {
    const std::int64_t shape[] = {kRows, kColumns};
    shards.push_back(files.arena.nodes.add_extent(rank, 0, kBFloat16, shape, {}));
  }
  const ckb_node whole = files.arena.nodes.add_concat(shards, 1);
  ValueReader reader(files.arena, 4 * kTask);
  std::vector<std::byte> target(kTask);
  const std::uint64_t count = kTask / 2 / (8 * kColumns) * (8 * kColumns);
  for (auto _ : state) reader.read(whole, 0, count, std::span(target).first(count * 2));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(count * 2));
}
BENCHMARK(join_along_columns);

void split_along_columns(benchmark::State& state) {
  Files files(1);
  const std::int64_t shape[] = {kRows / 8, 8 * kColumns};
  const ckb_node whole = files.arena.nodes.add_extent(1, 0, kBFloat16, shape, {});
  const std::uint64_t count = kTask / 2 / (8 * kColumns) * kColumns;
  std::vector<std::byte> target(8 * count * 2);
  std::vector<ValueRange> ranges;
  for (std::uint64_t rank = 0; rank < 8; ++rank) {
    const auto begin = static_cast<std::int64_t>(rank) * kColumns;
    const ckb_node shard = files.arena.nodes.add_slice(whole, 1, begin, begin + kColumns);
    ranges.push_back({shard, 0, count, std::span(target).subspan(rank * count * 2, count * 2)});
  }
  ValueReader reader(files.arena, 4 * kTask);
  for (auto _ : state) reader.read(ranges);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(target.size()));
}
BENCHMARK(split_along_columns);

// A parameter of a ZeRO-3 checkpoint of 256 data-parallel ranks.
ckb_node fragments(Nodes& nodes, std::uint64_t offset) {
  std::vector<ckb_node> parts;
  for (ckb_file rank = 1; rank <= 256; ++rank) {
    const std::int64_t shape[] = {176128};
    parts.push_back(nodes.add_extent(rank, offset, kFloat32, shape, {}));
  }
  const std::int64_t shape[] = {11008, 4096};
  return nodes.add_reshape(nodes.add_concat(parts, 0), shape);
}

void lower_fragments(benchmark::State& state) {
  Nodes nodes;
  const ckb_node value = fragments(nodes, 0);
  std::int64_t runs = 0;
  for (auto _ : state) lower(nodes, value, 0, nodes.count(value), [&](const Run&) { ++runs; });
  state.SetItemsProcessed(runs);
}
BENCHMARK(lower_fragments);

void plan_fragments(benchmark::State& state) {
  constexpr std::uint64_t kParameters = 100;
  Nodes nodes;
  Layout layout;
  for (std::uint64_t i = 0; i < kParameters; ++i) {
    const ckb_node value = fragments(nodes, i * 176128 * 4);
    layout.put_value(layout.add_file(std::to_string(i), nodes.size(value)), 0, value, nodes);
  }
  layout.finish();
  for (auto _ : state) benchmark::DoNotOptimize(make_plan(nodes, layout, {2, 128u << 20}));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kParameters) * 256);
}
BENCHMARK(plan_fragments);

void cover_fragments(benchmark::State& state) {
  Files files(1);
  Graph graph(files.arena);
  Layout layout;
  constexpr std::int64_t kFragments = 100000;
  graph.add_storage(1, 0, kFragments * 16);
  std::vector<ckb_node> parts;
  for (std::int64_t i = 0; i < kFragments; ++i) {
    const std::int64_t shape[] = {8};
    parts.push_back(graph.add_extent(1, static_cast<std::uint64_t>(i) * 16, kBFloat16, shape, {}));
  }
  const ckb_node whole = files.arena.nodes.add_concat(parts, 0);
  layout.put_value(layout.add_file("x", kFragments * 16), 0, whole, files.arena.nodes);
  layout.finish();
  for (auto _ : state) benchmark::DoNotOptimize(require_coverage(graph, layout));
  state.SetItemsProcessed(state.iterations() * kFragments);
}
BENCHMARK(cover_fragments);

torch_file::Bytes golden(const std::string& name) {
  std::ifstream file(std::string(paths::golden()) + "/" + name, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  torch_file::Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// A model of 7 layers.
void parse_zip(benchmark::State& state) {
  const auto bytes = golden("nemo2/input_tiny.pt");
  const torch_file::MemorySource source(bytes, "input_tiny.pt");
  std::size_t records = 0;
  for (auto _ : state) records += torch_file::read_zip_directory(source).records.size();
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
}
BENCHMARK(parse_zip);

void parse_pickle(benchmark::State& state) {
  const auto bytes = golden("nemo2/input_tiny.pt");
  const torch_file::MemorySource source(bytes, "input_tiny.pt");
  const auto directory = torch_file::read_zip_directory(source);
  const torch_file::ZipRecord& record = *directory.find("data.pkl");
  const auto pickle = std::span(bytes).subspan(record.offset, record.size);
  for (auto _ : state) {
    torch_file::Values values;
    benchmark::DoNotOptimize(torch_file::unpickle(values, pickle, "data.pkl"));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(pickle.size()));
}
BENCHMARK(parse_pickle);

}  // namespace
}  // namespace ckptbridge

BENCHMARK_MAIN();
