#include "core/compare/tensor_digests.h"

#include <algorithm>
#include <numeric>

#include "core/bytes/xxh3.h"
#include "core/disk/file.h"
#include "core/execute/value_reader.h"

namespace ckptbridge {

std::vector<std::string> digests_of(const Arena& arena, std::span<const LogicalTensor> tensors,
                                    const Buffers& buffers, const Feedback& feedback) {
  const Nodes& nodes = arena.nodes;
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return nodes.size(tensors[a].value) > nodes.size(tensors[b].value);
  });
  std::uint64_t total = 0;
  for (const LogicalTensor& tensor : tensors) total += nodes.size(tensor.value);

  std::vector<std::string> digests(tensors.size());
  const auto make_worker = [&] {
    return [&, reader = ValueReader(arena, buffers.scratch_size()),
            buffer = std::vector<std::byte>(buffers.task_size)](std::uint64_t number) mutable {
      const ckb_node value = tensors[order[number]].value;
      const std::uint64_t item = nodes.item(value);
      const std::uint64_t most = buffers.task_size / item;
      Hash hash;
      for (std::uint64_t begin = 0; begin < nodes.count(value); begin += most) {
        const std::uint64_t count = std::min(most, nodes.count(value) - begin);
        const auto bytes = std::span(buffer).first(count * item);
        reader.read(value, begin, count, bytes);
        hash.add(bytes);
      }
      digests[order[number]] = hash.text();
      return nodes.size(value);
    };
  };
  run_workers(buffers.threads, tensors.size(), make_worker, "digest", total, feedback,
              [&](std::uint64_t number) { return tensors[order[number]].name; });
  return digests;
}

std::string digest_of_file(const boost::filesystem::path& path) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const File file = File::open_to_read(path);
  std::vector<std::byte> buffer(kPiece);
  Hash hash;
  std::uint64_t offset = 0;
  while (const std::size_t size = file.read_at(offset, buffer)) {
    hash.add(std::span(buffer).first(size));
    offset += size;
  }
  return hash.text();
}

}  // namespace ckptbridge
