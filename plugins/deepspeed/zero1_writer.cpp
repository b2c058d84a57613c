// zero1-writer: savanna's checkpoints of ZeRO stage 1, as far as they hold the model.
//
//   mp_rank_XX_model_states.pt   one for each model-parallel rank, a dict:
//     module                     OrderedDict name -> tensor, contiguous and alone in its storage
//                                unless tied; then name -> extra state. In the style "zero3", all
//                                in the order of the input
//     param_shapes               OrderedDict name -> torch.Size, of parameters and buffers; in the
//                                style "zero3", of extra states that are tensors, too
//     dp_world_size              int
//     output_dir                 str, where asked for
//     iteration, args, …         further state, where asked for
// Source: convert_checkpoint_model_parallel_evo2.py and convert_zero3_to_zero1.py of BioNeMo's
// Evo2; the files in tests/golden/zero1 and zero3.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "ckptbridge/plugin.hpp"
#include "core/text/json_object.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"

namespace {

using ckptbridge::Error;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::ObjectView;
using ckptbridge::plugin::Shape;
using ckptbridge::plugin::TensorView;
namespace tf = ckptbridge::torch_file;

// Keys that every file gets anew, or that describe the shards of the input.
constexpr std::array<std::string_view, 6> kReplaced{"module",
                                                    "param_shapes",
                                                    "frozen_param_shapes",
                                                    "frozen_param_fragments",
                                                    "output_dir",
                                                    "checkpoint_parallel_dimensions"};

bool is_extra_state(std::string_view name) { return name.ends_with("_extra_state"); }

bool is_replaced(std::string_view name) {
  return std::find(kReplaced.begin(), kReplaced.end(), name) != kReplaced.end();
}

// Which Python script's files are made.
enum class Style { kReshard, kZero3 };

// The file of one rank in the making.
class RankFile {
 public:
  void add_tensor(const TensorView& view) {
    tf::Tensor tensor;
    tensor.dtype = view.dtype;
    tensor.shape.assign(view.shape.begin(), view.shape.end());
    tensor.strides = tf::contiguous_strides(tensor.shape);
    tensor.requires_grad = (view.flags & CKB_REQUIRES_GRAD) != 0;
    tensor.is_parameter = (view.flags & CKB_IS_PARAMETER) != 0;
    // The host has checked that these products can be counted.
    tensor.storage.dtype = view.dtype;
    tensor.storage.count = tensor.count();
    tensor.storage.size = tensor.count() * ckptbridge::item_size(view.dtype);
    tensor.storage.key = storage_key(view.value, tensor.storage.size);
    entries_.push_back({view.position, values_.string(view.name), tf::make_tensor(values_, tensor),
                        tf::make_size(values_, tensor.shape), false});
  }

  void add_extra_state(const ObjectView& object) {
    const tf::ValueId value = value_of(object);
    std::optional<tf::ValueId> size;
    if (const auto tensor = tf::read_tensor(values_, value, std::string(object.name))) {
      size = tf::make_size(values_, tensor->shape);
    }
    entries_.push_back({object.position, values_.string(object.name), value, size, true});
  }

  void set_dp_world_size(const ObjectView& object) { dp_world_size_ = value_of(object); }

  void add_state(const ObjectView& object) {
    state_.push_back({values_.string(object.name), value_of(object)});
  }

  void add_state(std::string_view name, std::int64_t number) {
    state_.push_back({values_.string(name), values_.integer(number)});
  }

  void put(Layout& out, const std::string& path, Style style, const std::string& output_dir) {
    std::stable_sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
      return style == Style::kZero3 ? a.position < b.position : !a.is_extra && b.is_extra;
    });
    const tf::ValueId module = tf::make_ordered_dict(values_);
    const tf::ValueId shapes = tf::make_ordered_dict(values_);
    for (const Entry& entry : entries_) {
      values_.set_item(module, entry.name, entry.value);
      const bool has_shape = entry.size && (style == Style::kZero3 || !entry.is_extra);
      if (has_shape) values_.set_item(shapes, entry.name, *entry.size);
    }
    const tf::ValueId root = values_.dict();
    const auto set = [&](const char* key, tf::ValueId value) {
      values_.set_item(root, values_.string(key), value);
    };
    set("module", module);
    set("param_shapes", shapes);
    // Loaders ask for the key, of files that are a model and nothing else, too.
    set("dp_world_size", dp_world_size_.value_or(values_.integer(1)));
    if (!output_dir.empty()) set("output_dir", values_.string(output_dir));
    for (const tf::Item& item : state_) values_.set_item(root, item.key, item.value);
    const tf::ZipLayout zip = tf::lay_out_torch_file(tf::pickle(values_, root), sizes_);
    tf::put_torch_file(out, out.add_file(path, zip.size), 0, zip, storages_);
  }

 private:
  // The same node is the same storage: tied tensors stay tied.
  std::string storage_key(ckb_node node, std::uint64_t size) {
    const auto [it, added] = numbers_.emplace(node, storages_.size());
    if (added) {
      storages_.push_back(node);
      sizes_.push_back(size);
    }
    return std::to_string(it->second);
  }

  // An object's pickle as a part of this file's.
  tf::ValueId value_of(const ObjectView& object) {
    const std::string name(object.name);
    if (object.kind != "pickle") {
      throw Error(CKB_UNSUPPORTED, fmt::format("{}: is {}, but a checkpoint of torch holds "
                                               "pickles only",
                                               name, object.kind));
    }
    const tf::ValueId root = tf::unpickle(values_, object.data, name).root;
    tf::rename_storages(values_, root, [&](const tf::Storage& storage) {
      for (std::size_t i = 0; i < object.storages.size(); ++i) {
        if (storage.key == std::to_string(i)) return storage_key(object.storages[i], storage.size);
      }
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: names a storage \"{}\" that it lacks", name, storage.key));
    });
    return root;
  }

  struct Entry {
    std::uint32_t position;  // in the graph
    tf::ValueId name;
    tf::ValueId value;
    std::optional<tf::ValueId> size;  // none: no tensor
    bool is_extra;
  };

  tf::Values values_;
  std::optional<tf::ValueId> dp_world_size_;
  std::vector<Entry> entries_;
  std::vector<tf::Item> state_;
  std::map<ckb_node, std::size_t> numbers_;
  std::vector<ckb_node> storages_;
  std::vector<std::uint64_t> sizes_;
};

class Zero1Writer : public ckptbridge::plugin::Writer {
 public:
  explicit Zero1Writer(const char* options) {
    const ckptbridge::Json given = ckptbridge::Json::parse(options, "options");
    ckptbridge::JsonObject object(given, "options");
    style_ = object.string("style") == "zero3" ? Style::kZero3 : Style::kReshard;
    keep_state_ = object.boolean("keep-state");
    output_dir_ = object.string_or("record-output-dir", "");
  }

  void lay_out(Graph& graph, Layout& out) override {
    std::map<std::int32_t, RankFile> files;
    const std::int32_t world = add_tensors(graph, files);
    add_objects(graph, files, world);
    for (auto& [rank, file] : files) {
      file.put(out, fmt::format("mp_rank_{:02}_model_states.pt", rank), style_, output_dir_);
    }
  }

 private:
  // Returns the number of ranks; a reader may have been asked for fewer of them.
  static std::int32_t add_tensors(const Graph& graph, std::map<std::int32_t, RankFile>& files) {
    const auto in = graph.view();
    std::int32_t world = 0;
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      const TensorView tensor = in.tensor(i);
      if (tensor.role != "param" && tensor.role != "buffer") {
        throw Error(CKB_UNSUPPORTED,
                    fmt::format("{}: is {}, but these files hold parameters and "
                                "buffers only",
                                tensor.name, tensor.role),
                    {.tensor = std::string(tensor.name)});
      }
      files[tensor.mp_rank].add_tensor(tensor);
      world = std::max(world, tensor.mp_world_size);
    }
    if (files.size() != static_cast<std::size_t>(world) && in.property("mp_ranks").empty()) {
      throw Error(CKB_CORRUPT, fmt::format("there are tensors of {} model-parallel ranks, expected "
                                           "{}",
                                           files.size(), world));
    }
    return world;
  }

  void add_objects(Graph& graph, std::map<std::int32_t, RankFile>& files,
                   std::int32_t world) const {
    const auto in = graph.view();
    std::set<std::string> dropped;
    for (std::uint64_t i = 0; i < in.object_count(); ++i) {
      const ObjectView object = in.object(i);
      const auto file = files.find(object.mp_rank);
      if (file == files.end()) {
        throw Error(CKB_CORRUPT, fmt::format("{}: is of model-parallel rank {}, which has no "
                                             "tensors",
                                             object.name, object.mp_rank));
      }
      if (object.kind != "pickle" && object.name.starts_with("configs/")) {
        if (dropped.emplace(object.name).second) {
          graph.drop_object(object.name, "configuration files, which lie beside the rank files");
        }
      } else if (is_extra_state(object.name)) {
        file->second.add_extra_state(object);
      } else if (object.name == "dp_world_size") {
        file->second.set_dp_world_size(object);
      } else if (object.name == "mp_world_size" && keep_state_) {
        file->second.add_state(object.name, std::int64_t{world});
        if (dropped.emplace(object.name).second) {
          graph.drop_object(object.name, "facts about the input's files, made anew");
        }
      } else if (keep_state_ && !is_replaced(object.name)) {
        file->second.add_state(object);
      } else if (dropped.emplace(object.name).second) {
        graph.drop_object(object.name, is_replaced(object.name)
                                           ? "facts about the input's files, made anew"
                                           : "training state; --keep-state keeps it");
      }
    }
  }

  Style style_;
  bool keep_state_;
  std::string output_dir_;
};

}  // namespace

CKPTBRIDGE_WRITER(Zero1Writer, "zero1-writer", CKPTBRIDGE_VERSION)
