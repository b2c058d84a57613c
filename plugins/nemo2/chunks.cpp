#include "plugins/nemo2/chunks.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <utility>

namespace ckptbridge::nemo2 {
namespace {

constexpr std::uint64_t kBytesPerFile = std::uint64_t{4} << 30;
constexpr std::uint64_t kFewestFiles = 2;
constexpr std::uint64_t kMostFiles = 64;

}  // namespace

std::vector<RowBlock> row_blocks(const plugin::TensorView& tensor, std::uint64_t most) {
  if (tensor.shape.empty()) return {{0, 1}};
  const std::int64_t rows = tensor.shape[0];
  std::int64_t wanted = std::max<std::uint32_t>(1, tensor.row_blocks);
  if (rows % wanted != 0) wanted = 1;
  std::uint64_t row_size = item_size(tensor.dtype);
  for (const std::int64_t size : tensor.shape.subspan(1)) {
    row_size *= static_cast<std::uint64_t>(size);
  }
  const auto block = static_cast<std::int64_t>(
      row_size == 0 ? static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 1))
                    : std::max<std::uint64_t>(1, most / row_size));
  std::vector<RowBlock> blocks;
  for (std::int64_t part = 0; part < wanted; ++part) {
    const std::int64_t end = rows / wanted * (part + 1);
    std::int64_t begin = rows / wanted * part;
    do {
      blocks.push_back({begin, std::min(begin + block, end)});
      begin = blocks.back().end;
    } while (begin < end);
  }
  return blocks;
}

std::uint32_t data_file_count(std::uint64_t bytes) {
  const std::uint64_t begun = bytes / kBytesPerFile + (bytes % kBytesPerFile > 0 ? 1 : 0);
  return static_cast<std::uint32_t>(std::clamp(begun, kFewestFiles, kMostFiles));
}

std::vector<std::uint32_t> assign_files(const std::vector<std::uint64_t>& sizes,
                                        std::uint32_t files) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  using Load = std::pair<std::uint64_t, std::uint32_t>;  // bytes, file
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (std::uint32_t file = 0; file < files; ++file) loads.emplace(0, file);
  std::vector<std::uint32_t> result(sizes.size());
  for (const std::size_t i : order) {
    const auto [bytes, file] = loads.top();
    loads.pop();
    result[i] = file;
    loads.emplace(bytes + sizes[i], file);
  }
  return result;
}

}  // namespace ckptbridge::nemo2
