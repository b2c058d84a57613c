// nemo2-torch_dist-writer: NeMo2 checkpoints with weights in PyTorch's distributed format.
//
//   weights/.metadata        which chunk of which tensor lies where; see dcp_metadata.h
//   weights/__0_N.distcp     items one after another, each a whole .pt: of a tensor's chunk, or of
//                            a list with one object
//   weights/…, context/…     see nemo2_folder.h
// File names, the number of files, the order of items, the chunk grid and gaps between items are
// free for a writer. Items are in the order of their keys, so that equal checkpoints become equal
// files, whatever they were read from.
// Source: torch/distributed/checkpoint/filesystem.py of 2.13, megatron/core/dist_checkpointing/
// strategies/torch.py of 0.15; checked with the real loaders.
#include <algorithm>

#include "ckptbridge/plugin.hpp"
#include "plugins/nemo2/chunks.h"
#include "plugins/nemo2/dcp_metadata.h"
#include "plugins/nemo2/nemo2_folder.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/pickler.h"

namespace {

using ckptbridge::Error;
using ckptbridge::nemo2::RowBlock;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::ObjectView;
using ckptbridge::plugin::TensorView;
namespace nemo2 = ckptbridge::nemo2;
namespace tf = ckptbridge::torch_file;

// A chunk larger than this is cut along its rows.
constexpr std::uint64_t kLargestChunk = std::uint64_t{256} << 20;

// Items begin at multiples of this, so that their tensors are aligned in the file, too.
constexpr std::uint64_t kItemAlignment = 64;

// One .pt to be placed in a data file.
struct DataItem {
  tf::ZipLayout zip;
  std::vector<ckb_node> payloads;
};

class TorchDistWriter : public ckptbridge::plugin::Writer {
 public:
  explicit TorchDistWriter(const char*) {}

  void lay_out(Graph& graph, Layout& out) override {
    auto sharded = nemo2::put_context(graph, out, "torch_dist");
    std::ranges::sort(sharded, {}, &ObjectView::name);
    add_tensors(graph);
    for (const ObjectView& object : sharded) {
      objects_.push_back({*nemo2::object_key(object.name), {}});
      items_.push_back(
          {nemo2::object_file(object, true), {object.storages.begin(), object.storages.end()}});
    }
    place_items(out);
    const tf::Bytes metadata = nemo2::dcp_metadata(tensors_, objects_);
    nemo2::put_file(out, "weights/.metadata", metadata);
  }

 private:
  void add_tensors(Graph& graph) {
    for (const TensorView& tensor : nemo2::tensors_by_name(graph.view())) {
      nemo2::require_weight(tensor);
      nemo2::StoredTensor stored{
          std::string(tensor.name), tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}, {}};
      for (const RowBlock& block : nemo2::row_blocks(tensor, kLargestChunk)) {
        stored.chunks.push_back(add_chunk(graph, tensor, block));
      }
      tensors_.push_back(std::move(stored));
    }
  }

  nemo2::StoredChunk add_chunk(Graph& graph, const TensorView& tensor, const RowBlock& block) {
    std::vector<std::int64_t> offsets(tensor.shape.size(), 0);
    std::vector<std::int64_t> sizes(tensor.shape.begin(), tensor.shape.end());
    ckb_node value = tensor.value;
    if (!sizes.empty() && block.end - block.begin != sizes[0]) {
      value = graph.slice(value, 0, block.begin, block.end);
      offsets[0] = block.begin;
      sizes[0] = block.end - block.begin;
    }
    tf::Values values;
    const tf::ValueId root = tf::make_tensor(values, "0", tensor.dtype, sizes);
    std::uint64_t size = ckptbridge::item_size(tensor.dtype);
    for (const std::int64_t n : sizes) size *= static_cast<std::uint64_t>(n);
    items_.push_back({tf::lay_out_torch_file(tf::pickle(values, root), {{size}}), {value}});
    return {offsets, sizes, {}};
  }

  // Spreads the items over the data files, in their order within each file, and tells the chunks
  // and objects, which are in the same order, where they lie.
  void place_items(Layout& out) {
    std::vector<std::uint64_t> sizes;
    std::uint64_t total = 0;
    for (const DataItem& item : items_) {
      sizes.push_back((item.zip.size + kItemAlignment - 1) / kItemAlignment * kItemAlignment);
      total += sizes.back();
    }
    const std::uint32_t count = nemo2::data_file_count(total);
    const std::vector<std::uint32_t> file_of = nemo2::assign_files(sizes, count);
    std::vector<std::uint64_t> ends(count, 0);
    std::vector<nemo2::StoredItem> places;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      places.push_back({data_file_name(file_of[i]), ends[file_of[i]], items_[i].zip.size});
      ends[file_of[i]] += sizes[i];
    }
    std::vector<std::uint32_t> files;
    for (std::uint32_t i = 0; i < count; ++i) {
      files.push_back(out.add_file("weights/" + data_file_name(i), ends[i]));
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const std::uint32_t file = files[file_of[i]];
      const nemo2::StoredItem& place = places[i];
      tf::put_torch_file(out, file, place.offset, items_[i].zip, items_[i].payloads);
      out.put_zeros(file, place.offset + place.size, sizes[i] - place.size);
    }
    auto place = places.begin();
    for (nemo2::StoredTensor& tensor : tensors_) {
      for (nemo2::StoredChunk& chunk : tensor.chunks) chunk.item = *place++;
    }
    for (nemo2::StoredObject& object : objects_) object.item = *place++;
  }

  // As megatron-core names the files of rank 0.
  static std::string data_file_name(std::uint32_t number) {
    return "__0_" + std::to_string(number) + ".distcp";
  }

  std::vector<nemo2::StoredTensor> tensors_;
  std::vector<nemo2::StoredObject> objects_;
  std::vector<DataItem> items_;  // each chunk of each tensor, then each object
};

}  // namespace

CKPTBRIDGE_WRITER(TorchDistWriter, "nemo2-torch_dist-writer", CKPTBRIDGE_VERSION)
