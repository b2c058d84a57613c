// What reading costs does not depend on what the tensors weigh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/disk/output_files.h"
#include "core/execute/execute.h"
#include "plugins/evo2/expected.h"
#include "tests/paths.h"
#include "tests/unit/flows/dcp_folder.h"
#include "tests/unit/flows/flow_run.h"
#include "tests/unit/flows/sparse_pt.h"

namespace ckptbridge {
namespace {

constexpr std::int64_t kContext = 1 << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// Savanna's tensors of a model size, whose filters cover the whole context.
std::vector<SparseTensor> model(const std::string& size) {
  const evo2::Catalogue catalogue(paths::profiles());
  const evo2::NameTable names(paths::profiles(), catalogue.fields());
  std::vector<SparseTensor> result;
  for (const evo2::Source& source : evo2::expected(catalogue.find(size), names).sources) {
    SparseTensor tensor{source.name, kBFloat16, {source.shape.begin(), source.shape.end()}};
    if (source.name.find(".filter.") != std::string::npos) {
      tensor.dtype = kFloat32;
      if (source.cut) tensor.shape[source.cut->dim] = kContext;
    }
    result.push_back(tensor);
  }
  return result;
}

TEST(Sizes, APickleInPiecesIsReadWithoutItsTensors) {
  const FlowRun flow;
  const std::uint64_t size = write_sparse_pt(flow.folder() / "in/big.pt",
                                             {{"sequential.0.a", kBFloat16, {1 << 16, 1 << 15}},
                                              {"sequential.0.b", kFloat32, {1 << 15, 1 << 15}}},
                                             3 * kGiB / 2);
  EXPECT_GT(size, 8 * kGiB);
  const auto run = flow.read(flow.folder() / "in/big.pt");
  EXPECT_EQ(run->source.graph.tensors().size(), 2u);
  EXPECT_EQ(run->source.arena->sources.pieces(1).size(), 6u);
  EXPECT_LT(run->source.arena->sources.bytes_read(), 64u << 10);
}

TEST(Sizes, A40BModelOf1MContextIsPlannedWithoutItsTensors) {
  const FlowRun flow;
  const std::uint64_t size =
      write_sparse_pt(flow.folder() / "in/evo2.pt", model("40b_arc_longcontext"), 40 * kGiB);
  EXPECT_GT(size, 130 * kGiB);
  const auto run =
      flow.plan(flow.folder() / "in", "nemo2-torch_dist", {{"model-size", "40b_arc_longcontext"}});
  EXPECT_LT(run->source.arena->sources.bytes_read(), 4u << 20);
  EXPECT_GT(run->coverage.used, 80 * kGiB - 5 * kGiB);
  EXPECT_LT(run->coverage.used, 82 * kGiB);
}

TEST(Sizes, PartOfA40BModelIsConvertedByReadingThatPart) {
  const FlowRun flow;
  write_sparse_pt(flow.folder() / "in/evo2.pt", model("40b_arc_longcontext"), 40 * kGiB);
  const auto run =
      flow.plan(flow.folder() / "in", "nemo2-torch_dist", {{"model-size", "40b_arc_longcontext"}});
  const std::uint64_t planned = run->source.arena->sources.bytes_read();
  // 64 tasks from the middle: the first ones write what no file holds.
  Plan part = run->plan;
  const std::uint64_t middle = part.task_count() / 2;
  part.ranges.clear();
  part.first = {0};
  std::uint64_t wanted = 0;
  for (std::uint64_t i = middle; i < middle + 64; ++i) {
    for (const OutputRange& range : run->plan.task(i)) {
      part.ranges.push_back(range);
      wanted += range.size;
    }
    part.first.push_back(part.ranges.size());
  }
  boost::filesystem::create_directory(flow.folder() / "part");
  OutputFiles output(flow.folder() / "part");
  for (const OutputFile& file : run->layout.files()) output.create(file.path, file.size);
  execute(*run->source.arena, run->layout, part, output, /*drop_behind=*/false, {});
  const std::uint64_t payload = run->source.arena->sources.bytes_read() - planned;
  EXPECT_GT(wanted, 4u << 20);
  EXPECT_LE(payload, 2 * wanted);  // float32 that becomes bfloat16
  EXPECT_GE(payload, wanted / 2);
}

TEST(Sizes, FiltersOf1MContextCost128ColumnsOfReading) {
  namespace tf = torch_file;
  const std::string whole = file_text(FlowRun::golden("nemo2/input_tiny.pt"));
  const tf::MemorySource source(std::as_bytes(std::span(whole)), "input_tiny.pt");
  const tf::TorchFile pt = tf::read_torch_file(source);
  std::vector<SparseTensor> tensors;
  std::uint64_t needed = 0;
  int filters = 0;
  for (const tf::Item& item :
       tf::items_of(pt.values, tf::require(pt.values, pt.root, "module", "input_tiny.pt"))) {
    const std::string name(pt.values.as_string(item.key).value());
    const auto tensor = tf::read_tensor(pt.values, item.value, name);
    if (!tensor || name.ends_with("_extra_state")) continue;
    const std::uint64_t item_bytes = item_size(tensor->dtype);
    const std::uint64_t begin = pt.extent(tensor->storage).offset + tensor->offset * item_bytes;
    SparseTensor sparse{name, tensor->dtype, tensor->shape};
    if (name.ends_with("filter.h") || name.ends_with("filter.decay")) {
      const auto columns = static_cast<std::uint64_t>(tensor->shape[1]);
      sparse.shape[1] = kContext;
      for (std::uint64_t row = 0; row < static_cast<std::uint64_t>(tensor->shape[0]); ++row) {
        sparse.bytes.emplace_back(
            row * kContext * item_bytes,
            whole.substr(begin + row * columns * item_bytes, columns * item_bytes));
        needed += 128 * item_bytes;
      }
      ++filters;
    } else {
      sparse.bytes.emplace_back(0, whole.substr(begin, tensor->count() * item_bytes));
      needed += tensor->count() * item_bytes;
    }
    tensors.push_back(std::move(sparse));
  }
  EXPECT_EQ(filters, 4);
  const FlowRun flow;
  const std::uint64_t size = write_sparse_pt(flow.folder() / "in/tiny.pt", tensors, 100'000'000);
  EXPECT_GT(size, 256u << 20);

  const auto run = flow.plan(flow.folder() / "in/tiny.pt", "nemo2-torch_dist",
                             {{"profile", FlowRun::golden("nemo2/tiny_profile.json").string()}});
  const std::uint64_t planned = run->source.arena->sources.bytes_read();
  EXPECT_LT(planned, 512u << 10);
  convert(*run, {});
  const std::uint64_t payload = run->source.arena->sources.bytes_read() - planned;
  EXPECT_TRUE(read_dcp(flow.out() / "weights").tensors ==
              read_dcp(FlowRun::golden("nemo2/out_torch_dist/weights")).tensors);
  EXPECT_GT(payload, needed / 2);
  // Headers of the zip between tensors that lie side by side are read along with them.
  EXPECT_LE(payload, needed + needed / 64);
}

}  // namespace
}  // namespace ckptbridge
