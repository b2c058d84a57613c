// nemo2-zarr-reader: NeMo2 checkpoints whose weights are zarr arrays.
//
//   weights/KEY/.zarray                  dtype, shape and chunks of a tensor; see zarr_array.h
//   weights/KEY/0.0, weights/KEY/1.0, …  the chunks: a chunk is what one rank held when it saved
//   weights/KEY/shard_OFFSET_SHAPE.pt    an object
//   weights/KEY.sync/                    locks of the saver, at times left over
//   weights/common.pt, weights/metadata.json, context/
//                                        see input_folder.h
//
// The facts come from zarr.py and tensorstore.py in megatron/core/dist_checkpointing/strategies,
// megatron-core 0.12 and 0.15, and from the files in tests/golden/nemo2.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/plugin.hpp"
#include "plugins/nemo2/input_folder.h"
#include "plugins/nemo2/nemo2_folder.h"
#include "plugins/nemo2/stored_pt.h"
#include "plugins/nemo2/tiling.h"
#include "plugins/nemo2/zarr_array.h"

namespace {

using ckptbridge::Error;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Shape;
namespace fs = std::filesystem;
namespace nemo2 = ckptbridge::nemo2;
namespace tf = ckptbridge::torch_file;

constexpr std::uint64_t kMaxZarraySize = std::uint64_t{1} << 20;

// What lies in a folder: names, in their order.
struct Listing {
  std::vector<std::string> files;
  std::vector<std::string> folders;
};

Listing list(const fs::path& folder) {
  Listing result;
  std::error_code problem;
  for (fs::directory_iterator item(folder, problem), end; !problem && item != end;
       item.increment(problem)) {
    std::error_code unknown;
    auto& names = item->is_directory(unknown) ? result.folders : result.files;
    names.push_back(item->path().filename().string());
  }
  if (problem) {
    throw Error(CKB_IO, fmt::format("{}: cannot be listed: {}", folder.string(), problem.message()),
                {.file = folder.string()});
  }
  std::ranges::sort(result.files);
  std::ranges::sort(result.folders);
  return result;
}

class GraphReader {
 public:
  GraphReader(Graph& out, const nemo2::InputFolder& folder) : out_(out), folder_(folder) {}

  void read() {
    is_megatron_ = nemo2::require_backend(out_, folder_, "zarr");
    nemo2::add_context(out_, folder_);
    if (nemo2::has_common(folder_)) nemo2::add_common(out_, folder_);
    for (const std::string& name : list(folder_.weights_path()).folders) {
      if (ckptbridge::plugin::host->cancelled(ckptbridge::plugin::host)) {
        throw Error(CKB_CANCELLED, "stopped as asked");
      }
      read_key(name);
    }
    if (out_.view().tensor_count() == 0) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: there is no tensor: no folder in it has a .zarray",
                              folder_.weights_path().string()),
                  {.file = folder_.weights_path().string()});
    }
    out_.set_property("format", "nemo2-zarr");
    out_.set_property("mp_world_size", "1");
    if (is_megatron_) out_.set_property("names", "megatron");
  }

 private:
  // key is the folder's name; files lie below the checkpoint by what a listing returned, or as
  // chunk names, which are numbers.
  void read_key(const std::string& key) {
    if (key.ends_with(".sync")) return;
    const Listing found = list(folder_.weights_path() / key);
    if (nemo2::is_optimizer_state(key)) {
      leave_out(key, found);
      return;
    }
    is_megatron_ = is_megatron_ || nemo2::is_megatron_name(key);
    if (std::ranges::binary_search(found.files, ".zarray")) add_tensor(key);
    for (const std::string& file : found.files) {
      if (file.starts_with("shard_") && file.ends_with(".pt")) add_object(key, file);
    }
  }

  std::string path_of(const std::string& key, const std::string& file) const {
    return folder_.weights + key + "/" + file;
  }

  nemo2::ZarrArray read_zarray(const std::string& key) {
    const std::string name = path_of(key, ".zarray");
    const ckb_file file = out_.open_file(name);
    if (out_.file_size(file) > kMaxZarraySize) {
      throw Error(
          CKB_CORRUPT,
          fmt::format("{}: has {} bytes, expected a few lines of JSON", name, out_.file_size(file)),
          {.file = name});
    }
    tf::Bytes bytes(out_.file_size(file));
    out_.read_file(file, 0, bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return ckptbridge::about({.file = name}, [&] { return nemo2::parse_zarray(text, name); });
  }

  void add_tensor(const std::string& key) {
    const nemo2::ZarrArray array = read_zarray(key);
    ckb_node value = 0;
    std::uint32_t row_blocks = 0;
    if (std::ranges::count(array.shape, 0) > 0) {
      value = out_.add_constant(array.dtype, array.shape, {});
    } else {
      std::vector<nemo2::Tile> tiles = read_chunks(key, array);
      row_blocks = nemo2::row_blocks_of(array.shape, tiles);
      value = nemo2::assemble(array.shape, std::move(tiles), key,
                              [&](std::span<const ckb_node> parts, std::uint32_t dim) {
                                return out_.concat(parts, dim);
                              });
    }
    out_.add_tensor(
        {.name = key, .value = value, .partition_dim = CKB_REPLICATED, .row_blocks = row_blocks},
        array.shape, array.dtype);
  }

  // One by one, so that a shape that names more chunks than there can be ends at the first missing.
  std::vector<nemo2::Tile> read_chunks(const std::string& key, const nemo2::ZarrArray& array) {
    std::vector<nemo2::Tile> tiles;
    const Shape grid = array.grid();
    Shape position(grid.size(), 0);
    do {
      nemo2::Tile tile{Shape(grid.size()), Shape(grid.size()), 0};
      for (std::size_t i = 0; i < grid.size(); ++i) {
        tile.offsets[i] = position[i] * array.chunks[i];
        tile.sizes[i] = std::min(array.chunks[i], array.shape[i] - tile.offsets[i]);
      }
      tile.value = read_chunk(key, array, array.chunk_name(position), tile.sizes);
      tiles.push_back(std::move(tile));
    } while (nemo2::advance(position, grid));
    return tiles;
  }

  // The first `sizes` of a chunk; what is beyond them is padding.
  ckb_node read_chunk(const std::string& key, const nemo2::ZarrArray& array,
                      const std::string& chunk, const Shape& sizes) {
    const std::string name = path_of(key, chunk);
    if (std::error_code problem; !fs::exists(folder_.path / name, problem)) {
      throw Error(
          CKB_NOT_FOUND,
          fmt::format("{}: chunk {} of {} is missing; Megatron would read what is in memory "
                      "in its place",
                      key, chunk, fmt::join(array.grid(), " x ")),
          {.file = (folder_.path / name).string(), .tensor = key});
    }
    const ckb_file file = out_.open_file(name);
    const std::uint64_t size = array.chunk_size();
    if (out_.file_size(file) != size) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: chunk {} has {} bytes, expected {} ({} of {})", key, chunk,
                              out_.file_size(file), size, array.chunks,
                              ckptbridge::dtype_name(array.dtype)),
                  {.file = name, .tensor = key});
    }
    out_.add_storage(file, 0, size);
    if (sizes == array.chunks && !array.is_column_major) {
      return out_.add_extent(file, 0, array.dtype, sizes);
    }
    const ckb_node value = out_.add_extent(file, 0, array.dtype, sizes, array.strides());
    if (sizes != array.chunks) {
      out_.drop_untouched(file, 0, size, "padding of chunks at the edges of tensors");
    }
    return value;
  }

  void add_object(const std::string& key, const std::string& file_name) {
    const std::string name = path_of(key, file_name);
    const ckb_file file = out_.open_file(name);
    const std::string stem = file_name.substr(0, file_name.size() - std::string_view(".pt").size());
    ckptbridge::about({.file = name}, [&] {
      nemo2::StoredPt pt(out_, file, 0, out_.file_size(file), name);
      pt.add_object(nemo2::object_name(key + "/" + stem), pt.root());
      pt.drop_rest();
    });
  }

  void leave_out(const std::string& key, const Listing& found) {
    for (const std::string& file_name : found.files) {
      const ckb_file file = out_.open_file(path_of(key, file_name));
      const std::uint64_t size = out_.file_size(file);
      if (size == 0) continue;
      out_.add_storage(file, 0, size);
      out_.drop_bytes(file, 0, size, nemo2::kOptimizerReason);
    }
  }

  Graph& out_;
  const nemo2::InputFolder& folder_;
  bool is_megatron_ = false;
};

class ZarrReader : public ckptbridge::plugin::Reader {
 public:
  static int probe(const char* path) {
    const nemo2::InputFolder folder = nemo2::find_input_folder(path);
    const std::string backend = nemo2::backend_of(folder);
    if (!backend.empty()) return backend == "zarr" ? 95 : 0;
    std::error_code problem;
    for (fs::directory_iterator item(folder.weights_path(), problem), end; !problem && item != end;
         item.increment(problem)) {
      std::error_code unknown;
      if (fs::exists(item->path() / ".zarray", unknown)) return 60;
    }
    return 0;
  }

  ZarrReader(const char* path, const char*) : folder_(nemo2::find_input_folder(path)) {}

  void read_graph(Graph& out) override { GraphReader(out, folder_).read(); }

 private:
  const nemo2::InputFolder folder_;
};

}  // namespace

CKPTBRIDGE_READER(ZarrReader, "nemo2-zarr-reader", CKPTBRIDGE_VERSION)
