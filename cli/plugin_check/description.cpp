#include "cli/plugin_check/description.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "cli/plugin_check/subject.h"

namespace ckptbridge::plugin_check {
namespace {

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  return (seed ^ value) * 0x100000001b3ULL + (seed >> 29);
}

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// A number for each value that depends on what it is and not on when it was made.
class NodeHashes {
 public:
  explicit NodeHashes(const Arena& arena) : arena_(arena) {}

  // Without recursion: inputs have smaller numbers than what is made of them.
  std::uint64_t of(ckb_node node) {
    while (hashes_.size() < node)
      hashes_.push_back(make(static_cast<ckb_node>(hashes_.size() + 1)));
    return hashes_[node - 1];
  }

 private:
  std::uint64_t make(ckb_node node) const {
    const Nodes& nodes = arena_.nodes;
    const Op op = nodes.op(node);
    const Dtype dtype = nodes.dtype(node);
    std::uint64_t hash = mix(static_cast<std::uint64_t>(op), dtype.code << 16 | dtype.bits);
    for (const std::int64_t size : nodes.shape(node))
      hash = mix(hash, static_cast<std::uint64_t>(size));
    if (op == Op::kExtent) {
      hash = mix(hash, std::hash<std::string>()(arena_.sources.name(nodes.file(node))));
      hash = mix(hash, nodes.offset(node));
      for (const std::int64_t n : nodes.strides(node))
        hash = mix(hash, static_cast<std::uint64_t>(n));
      return hash;
    }
    if (op == Op::kConstant) return mix(hash, hash_of(nodes.constant(node)));
    if (op == Op::kPermute) {
      for (const std::int64_t n : nodes.permutation(node))
        hash = mix(hash, static_cast<std::uint64_t>(n));
    }
    if (op == Op::kSlice) hash = mix(hash, nodes.begin(node));
    if (op == Op::kSlice || op == Op::kConcat) hash = mix(hash, nodes.dim(node));
    for (const ckb_node input : nodes.inputs(node)) hash = mix(hash, hashes_[input - 1]);
    return hash;
  }

  const Arena& arena_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace

Description describe(const Graph& graph) {
  const Nodes& nodes = graph.arena().nodes;
  NodeHashes hashes(graph.arena());
  Description lines;
  for (const Tensor& tensor : graph.tensors()) {
    lines.push_back(fmt::format(
        "tensor {} ({}), rank {} of {}: {} of {}, partition {}, flags {}, "
        "row blocks {}, position {}, value {:016x}",
        tensor.name, tensor.role, tensor.mp_rank, tensor.mp_world_size, shape_text(tensor.shape),
        dtype_name(nodes.dtype(tensor.value)), tensor.partition_dim, tensor.flags,
        tensor.row_blocks, tensor.position, hashes.of(tensor.value)));
  }
  for (const Object& object : graph.objects()) {
    std::string storages;
    for (const ckb_node node : object.storages)
      storages += fmt::format(" {:016x}", hashes.of(node));
    lines.push_back(
        fmt::format("object {} ({}), rank {}: {} bytes {:016x}, position {}, storages{}",
                    object.name, object.kind, object.mp_rank, object.data.size(),
                    hash_of(object.data), object.position, storages));
  }
  for (const auto& [key, value] : graph.properties()) {
    lines.push_back(fmt::format("property {} = {}", key, value));
  }
  return lines;
}

Description describe(const Layout& layout, const Arena& arena) {
  NodeHashes hashes(arena);
  Description lines;
  for (const OutputFile& file : layout.files()) {
    lines.push_back(fmt::format("file {}: {} bytes", file.path, file.size));
    for (const Segment& segment : file.segments) {
      std::uint64_t what = segment.index;
      if (segment.content == Content::kBytes) what = hash_of(layout.bytes(segment));
      if (segment.content == Content::kValue)
        what = hashes.of(static_cast<ckb_node>(segment.index));
      lines.push_back(fmt::format("{} at {}: {} bytes, content {} {:016x}", file.path,
                                  segment.offset, segment.size, static_cast<int>(segment.content),
                                  what));
    }
    for (const ChecksumRange& range : file.checksums) {
      lines.push_back(
          fmt::format("{}: checksum of {} bytes at {}", file.path, range.size, range.begin));
    }
  }
  return lines;
}

void require_same(const Description& first, const Description& second, const std::string& what) {
  if (first == second) return;
  const auto [a, b] = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  throw Failed(fmt::format("{}: \"{}\" and \"{}\"", what, a == first.end() ? "nothing" : *a,
                           b == second.end() ? "nothing" : *b));
}

}  // namespace ckptbridge::plugin_check
