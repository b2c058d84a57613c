// nemo2-zarr-writer: NeMo2 checkpoints with weights as zarr arrays.
//
//   weights/KEY/.zarray, 0.0, 1.0, …    a tensor; see zarr_array.h
//   weights/KEY/shard_0_1.pt            an object, bare; extra states mostly
//   weights/…, context/…                see nemo2_folder.h
// Chunks are those of a checkpoint that one rank wrote: whole tensors, and fc1 in two. Loaders take
// any grid, and chunks may be padded at the edges, but all must be there: a chunk that is missing
// is read as whatever was in memory. Source: megatron/core/dist_checkpointing/strategies/zarr.py
// and tensorstore.py of 0.12 and 0.15, checked with the real loaders. Releases from 0.16 on do not
// read zarr.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/nemo2/nemo2_folder.h"
#include "plugins/nemo2/zarr_array.h"
#include "plugins/torch_file/host_source.h"

namespace {

using ckptbridge::Error;
using ckptbridge::Json;
using ckptbridge::JsonObject;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::ObjectView;
using ckptbridge::plugin::TensorView;
namespace nemo2 = ckptbridge::nemo2;
namespace tf = ckptbridge::torch_file;

// Why a tensor of this name has no folder of its own below weights/; "" where it has one.
std::string_view trouble_with(std::string_view name) {
  constexpr std::size_t kLongestFolder = 255;  // bytes, on all file systems that matter
  if (name.find_first_of("/\\") != std::string_view::npos) return "it has a slash";
  if (name == "." || name == "..") return "it stands for another folder";
  if (name.size() > kLongestFolder) return "it is longer than 255 bytes";
  if (name.ends_with(".sync")) return "loaders take it for a lock";
  if (name == "common.pt" || name == "metadata.json") return "a file of the checkpoint has it";
  return "";
}

// Throws UNSUPPORTED for a tensor that readers would not find under its name.
void require_folder(const std::string& name) {
  const std::string_view trouble = trouble_with(name);
  if (trouble.empty()) return;
  throw Error(CKB_UNSUPPORTED,
              fmt::format("{}: is not a name for a folder, which each tensor has in zarr: {}", name,
                          trouble),
              {.tensor = name, .hint = "--to nemo2-torch_dist takes any name"});
}

class ZarrWriter : public ckptbridge::plugin::Writer {
 public:
  explicit ZarrWriter(const char* options) {
    const Json given = Json::parse(options, "options");
    JsonObject object(given, "options");
    if (object.find("chunk-bytes") == nullptr) return;
    const std::int64_t bytes = object.integer("chunk-bytes");
    if (bytes < 1) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("chunk-bytes: a chunk of {} bytes holds nothing", bytes));
    }
    chunk_bytes_ = static_cast<std::uint64_t>(bytes);
  }

  void lay_out(Graph& graph, Layout& out) override {
    const auto sharded = nemo2::put_context(graph, out, "zarr");
    for (const TensorView& tensor : nemo2::tensors_by_name(graph.view())) {
      nemo2::require_weight(tensor);
      require_folder(std::string(tensor.name));
      add_tensor(graph, out, tensor);
    }
    for (const ObjectView& object : sharded) {
      const tf::ZipLayout zip = nemo2::object_file(object, false);
      const std::string path = "weights/" + *nemo2::object_key(object.name) + ".pt";
      tf::put_torch_file(out, out.add_file(path, zip.size), 0, zip, object.storages);
    }
    graph.note(
        "zarr weights are read by megatron-core up to 0.15; later releases read torch_dist only, "
        "to "
        "which --to nemo2-torch_dist brings them back");
    if (scalars_ > 0) {
      graph.note(
          fmt::format("{} tensors have no dimensions; of Megatron's two loaders of zarr only "
                      "the one that uses tensorstore reads them",
                      scalars_));
    }
  }

 private:
  nemo2::ZarrArray array_of(const TensorView& tensor) const {
    nemo2::ZarrArray array;
    array.dtype = tensor.dtype;
    array.shape.assign(tensor.shape.begin(), tensor.shape.end());
    for (const std::int64_t size : array.shape) {
      array.chunks.push_back(std::max<std::int64_t>(size, 1));
    }
    if (array.shape.empty()) return array;
    const std::int64_t blocks = std::max<std::uint32_t>(1, tensor.row_blocks);
    if (array.chunks[0] % blocks == 0) array.chunks[0] /= blocks;
    if (chunk_bytes_ && array.chunk_size() > *chunk_bytes_) {
      const std::uint64_t row = array.chunk_size() / static_cast<std::uint64_t>(array.chunks[0]);
      array.chunks[0] = static_cast<std::int64_t>(std::max<std::uint64_t>(1, *chunk_bytes_ / row));
    }
    return array;
  }

  void add_tensor(Graph& graph, Layout& out, const TensorView& tensor) {
    const nemo2::ZarrArray array = array_of(tensor);
    const std::string folder = "weights/" + std::string(tensor.name) + "/";
    const std::string text = nemo2::zarray_text(array, std::string(tensor.name));
    nemo2::put_file(out, folder + ".zarray", std::as_bytes(std::span(text)));
    if (array.shape.empty()) ++scalars_;
    if (std::ranges::count(array.shape, 0) > 0) return;
    const auto grid = array.grid();
    std::vector<std::int64_t> position(grid.size(), 0);
    do {
      const std::uint32_t file =
          out.add_file(folder + array.chunk_name(position), array.chunk_size());
      put_chunk(graph, out, file, tensor, array, position.empty() ? 0 : position[0]);
    } while (nemo2::advance(position, grid));
  }

  // Chunks are whole rows, so that padding comes last.
  static void put_chunk(Graph& graph, Layout& out, std::uint32_t file, const TensorView& tensor,
                        const nemo2::ZarrArray& array, std::int64_t number) {
    ckb_node value = tensor.value;
    std::uint64_t size = array.chunk_size();
    if (!array.shape.empty() && array.chunks[0] != array.shape[0]) {
      const std::int64_t begin = number * array.chunks[0];
      const std::int64_t end = std::min(array.shape[0], begin + array.chunks[0]);
      value = graph.slice(value, 0, begin, end);
      size = size / static_cast<std::uint64_t>(array.chunks[0]) *
             static_cast<std::uint64_t>(end - begin);
    }
    out.put_value(file, 0, value);
    out.put_zeros(file, size, array.chunk_size() - size);
  }

  std::optional<std::uint64_t> chunk_bytes_;
  std::uint64_t scalars_ = 0;
};

}  // namespace

CKPTBRIDGE_WRITER(ZarrWriter, "nemo2-zarr-writer", CKPTBRIDGE_VERSION)
