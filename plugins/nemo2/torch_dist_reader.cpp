// nemo2-torch_dist-reader: NeMo2 checkpoints, and other folders of torch.distributed.checkpoint.
//
//   weights/.metadata       which chunk of which tensor lies where; see dcp_metadata.h
//   weights/__R_N.distcp    items, each a whole .pt: of a tensor's chunk; of a list with one object
//                           (megatron-core, keys "…/shard_OFFSET_SHAPE"); of an object (DCP)
//   weights/common.pt       state that is not sharded, up to megatron-core 0.18; from 0.19 on it is
//                           the object "common_state/shard_0_1"
//   weights/metadata.json, context/…    see input_folder.h
// Chunks come in any grid, in any order, and in any files: those of a fine-tune on many ranks are
// what each rank held.
// Source: torch/distributed/checkpoint/filesystem.py of 2.1 to 2.13, megatron/core/
// dist_checkpointing of 0.12 to 0.19; the files in tests/golden.
#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/plugin.hpp"
#include "plugins/nemo2/dcp_metadata.h"
#include "plugins/nemo2/input_folder.h"
#include "plugins/nemo2/nemo2_folder.h"
#include "plugins/nemo2/stored_pt.h"
#include "plugins/nemo2/tiling.h"
#include "plugins/torch_file/lookup.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::plugin::Graph;
namespace fs = std::filesystem;
namespace nemo2 = ckptbridge::nemo2;
namespace tf = ckptbridge::torch_file;

// Tens of thousands of chunks take some megabytes.
constexpr std::uint64_t kMaxMetadataSize = std::uint64_t{1} << 30;
constexpr char kCommonState[] = "common_state/shard_0_1";

class GraphReader {
 public:
  GraphReader(Graph& out, const nemo2::InputFolder& folder) : out_(out), folder_(folder) {}

  void read() {
    bool is_megatron = nemo2::require_backend(out_, folder_, "torch_dist");
    const bool has_common = nemo2::has_common(folder_);
    const nemo2::DcpMetadata metadata = read_metadata();
    nemo2::add_context(out_, folder_);
    if (has_common) nemo2::add_common(out_, folder_);
    for (const nemo2::StoredTensor& tensor : metadata.tensors) {
      stop_if_asked();
      is_megatron = is_megatron || nemo2::is_megatron_name(tensor.key);
      if (nemo2::is_optimizer_state(tensor.key)) {
        for (const nemo2::StoredChunk& chunk : tensor.chunks) leave_out(chunk.item);
      } else {
        require_not_flattened(tensor, metadata);
        add_tensor(tensor);
      }
    }
    for (const nemo2::StoredObject& object : metadata.objects) {
      stop_if_asked();
      if (nemo2::is_optimizer_state(object.key)) {
        leave_out(object.item);
      } else {
        add_object(object, has_common);
      }
    }
    drop_left_out();
    if (metadata.unlisted > 0) {
      out_.note(
          fmt::format("{} items of the data files belong to no tensor or object, and were not "
                      "read",
                      metadata.unlisted));
    }
    out_.set_property("format", "nemo2-torch_dist");
    out_.set_property("mp_world_size", "1");
    if (is_megatron) out_.set_property("names", "megatron");
  }

 private:
  static void stop_if_asked() {
    if (ckptbridge::plugin::host->cancelled(ckptbridge::plugin::host)) {
      throw Error(CKB_CANCELLED, "stopped as asked");
    }
  }

  nemo2::DcpMetadata read_metadata() {
    const std::string name = folder_.weights + ".metadata";
    if (std::error_code problem; !fs::exists(folder_.path / name, problem)) {
      throw Error(CKB_NOT_FOUND,
                  fmt::format("{}: there is no {}; it is written last, so the checkpoint was not "
                              "saved or copied to its end",
                              folder_.path.string(), name),
                  {.file = (folder_.path / name).string()});
    }
    const ckb_file file = out_.open_file(name);
    const std::uint64_t size = out_.file_size(file);
    if (size > kMaxMetadataSize) {
      throw Error(
          CKB_UNSUPPORTED,
          fmt::format("{}: has {} bytes, at most {} are read", name, size, kMaxMetadataSize),
          {.file = name});
    }
    tf::Bytes bytes(size);
    out_.read_file(file, 0, bytes);
    return ckptbridge::about({.file = name}, [&] { return nemo2::read_dcp_metadata(bytes, name); });
  }

  static void require_not_flattened(const nemo2::StoredTensor& tensor,
                                    const nemo2::DcpMetadata& metadata) {
    if (!metadata.flattened.contains(tensor.key)) return;
    throw Error(CKB_UNSUPPORTED,
                fmt::format("{}: is stored flattened, as optimizer states of megatron-core up to "
                            "0.15 are, which is not read for weights",
                            tensor.key),
                {.tensor = tensor.key});
  }

  // A name in .metadata is foreign: it may lead nowhere but below the folder.
  ckb_file open(const std::string& relative_path, const std::string& what) {
    if (const auto known = files_.find(relative_path); known != files_.end()) return known->second;
    const fs::path path(relative_path);
    if (path.empty() || path.is_absolute() || std::ranges::count(path, fs::path("..")) > 0) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}.metadata: {}: is said to lie in \"{}\", outside the checkpoint",
                              folder_.weights, what, relative_path),
                  {.file = folder_.weights + ".metadata"});
    }
    const std::string name = folder_.weights + relative_path;
    if (std::error_code problem; !fs::exists(folder_.path / name, problem)) {
      throw Error(CKB_NOT_FOUND,
                  fmt::format("{}: is said to lie in {}, which is not there in {}", what, name,
                              folder_.path.string()),
                  {.file = (folder_.path / name).string()});
    }
    return files_[relative_path] = out_.open_file(name);
  }

  nemo2::StoredPt stored(const nemo2::StoredItem& item, const std::string& what) {
    const ckb_file file = open(item.path, what);
    return ckptbridge::about({.file = folder_.weights + item.path}, [&] {
      return nemo2::StoredPt(
          out_, file, item.offset, item.size,
          fmt::format("{} ({}{} at {})", what, folder_.weights, item.path, item.offset));
    });
  }

  void add_tensor(const nemo2::StoredTensor& tensor) {
    ckptbridge::about({.tensor = tensor.key}, [&] { read_tensor(tensor); });
  }

  void read_tensor(const nemo2::StoredTensor& tensor) {
    std::vector<nemo2::Tile> tiles;
    Dtype dtype = tensor.dtype;
    for (const nemo2::StoredChunk& chunk : tensor.chunks) {
      nemo2::StoredPt pt = stored(chunk.item, tensor.key);
      const nemo2::StoredPt::Tensor found = pt.tensor();
      pt.drop_rest();
      if (found.shape != chunk.sizes) {
        throw Error(CKB_CORRUPT, fmt::format("{}: the chunk at {} is {}, .metadata says {}",
                                             tensor.key, chunk.offsets, found.shape, chunk.sizes));
      }
      if (!tiles.empty() && !(found.dtype == dtype)) {
        throw Error(CKB_UNSUPPORTED, fmt::format("{}: its chunks are {} and {}", tensor.key,
                                                 ckptbridge::dtype_name(dtype),
                                                 ckptbridge::dtype_name(found.dtype)));
      }
      dtype = found.dtype;
      tiles.push_back({chunk.offsets, chunk.sizes, found.value});
    }
    const std::uint32_t row_blocks = nemo2::row_blocks_of(tensor.global_shape, tiles);
    const ckb_node value = value_of(tensor, dtype, std::move(tiles));
    out_.add_tensor({.name = tensor.key,
                     .value = value,
                     .partition_dim = CKB_REPLICATED,
                     .row_blocks = row_blocks},
                    tensor.global_shape, dtype);
  }

  ckb_node value_of(const nemo2::StoredTensor& tensor, Dtype dtype,
                    std::vector<nemo2::Tile> tiles) {
    if (std::ranges::count(tensor.global_shape, 0) > 0) {
      if (ckptbridge::item_size(dtype) == 0) {
        throw Error(CKB_UNSUPPORTED, fmt::format("{}: its type is not known", tensor.key));
      }
      return out_.add_constant(dtype, tensor.global_shape, {});
    }
    return nemo2::assemble(tensor.global_shape, std::move(tiles), tensor.key,
                           [&](std::span<const ckb_node> parts, std::uint32_t dim) {
                             return out_.concat(parts, dim);
                           });
  }

  void add_object(const nemo2::StoredObject& object, bool has_common) {
    nemo2::StoredPt pt = stored(object.item, object.key);
    tf::ValueId value = pt.root();
    if (nemo2::is_sharded_key(object.key)) value = only_element(pt, object.key);
    // Loaders that know both take common.pt where it is there.
    const bool is_common = object.key == kCommonState && !has_common;
    pt.add_object(is_common ? nemo2::kCommon : nemo2::object_name(object.key), value);
    pt.drop_rest();
  }

  // megatron-core puts each object into a list, with those of other shards of the same key.
  static tf::ValueId only_element(const nemo2::StoredPt& pt, const std::string& key) {
    const tf::Values& values = pt.values();
    if (values.kind(pt.root()) != tf::Kind::kList || values.elements(pt.root()).size() != 1) {
      throw Error(CKB_UNSUPPORTED, fmt::format("{}: holds {}, expected a list with one object", key,
                                               tf::describe(values, pt.root())));
    }
    return values.elements(pt.root())[0];
  }

  void leave_out(const nemo2::StoredItem& item) {
    left_out_[item.path].emplace_back(item.offset, item.size);
  }

  // Items of one reason that follow each other are one range: there are many.
  void drop_left_out() {
    for (auto& [path, items] : left_out_) {
      const ckb_file file = open(path, "optimizer state");
      std::ranges::sort(items);
      for (std::size_t i = 0; i < items.size();) {
        const std::uint64_t begin = items[i].first;
        std::uint64_t size = 0;
        while (i < items.size() && items[i].first == begin + size) size += items[i++].second;
        out_.add_storage(file, begin, size);
        if (size > 0) out_.drop_bytes(file, begin, size, nemo2::kOptimizerReason);
      }
    }
  }

  Graph& out_;
  const nemo2::InputFolder& folder_;
  std::map<std::string, ckb_file> files_;
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::uint64_t>>> left_out_;
};

class TorchDistReader : public ckptbridge::plugin::Reader {
 public:
  static int probe(const char* path) {
    const nemo2::InputFolder folder = nemo2::find_input_folder(path);
    const std::string backend = nemo2::backend_of(folder);
    std::error_code problem;
    const bool has_metadata = fs::exists(folder.weights_path() / ".metadata", problem);
    if (backend == "torch_dist") return has_metadata ? 95 : 60;  // 60: read_graph() says what lacks
    if (!backend.empty()) return 0;
    if (has_metadata) return 80;
    for (fs::directory_iterator item(folder.weights_path(), problem), end; !problem && item != end;
         item.increment(problem)) {
      if (item->path().extension() == ".distcp") return 40;
    }
    return 0;
  }

  TorchDistReader(const char* path, const char*) : folder_(nemo2::find_input_folder(path)) {}

  void read_graph(Graph& out) override { GraphReader(out, folder_).read(); }

 private:
  const nemo2::InputFolder folder_;
};

}  // namespace

CKPTBRIDGE_READER(TorchDistReader, "nemo2-torch_dist-reader", CKPTBRIDGE_VERSION)
