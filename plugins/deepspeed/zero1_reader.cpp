// zero1-reader: savanna's and DeepSpeed's checkpoints of ZeRO stage 0, 1 and 2, and plain .pt
// files.
//
//   mp_rank_XX_model_states.pt   a dict, at times below one more key "model":
//     module                     OrderedDict name -> tensor, or an extra state for "…_extra_state"
//     buffer_names               which of them are buffers
//     mp_world_size, iteration, args, ds_config, …    state that is no tensor
// Each of these files may be in pieces (pieces.h).
// A file without "module" whose own items are tensors is taken for such a dict itself.
// Source: deepspeed/runtime/engine.py, _save_checkpoint, of 0.3 to 0.19; the files in tests/golden.
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/plugin.hpp"
#include "plugins/deepspeed/config_files.h"
#include "plugins/deepspeed/rank_files.h"
#include "plugins/state_dict/family.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::deepspeed::LogicalFile;
using ckptbridge::deepspeed::RankFiles;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Shape;
namespace tf = ckptbridge::torch_file;

// Where a file ends too soon that is in pieces, the last of them is missing rather than cut.
tf::TorchFile read_pieces(const tf::ByteSource& source, const LogicalFile& file) {
  try {
    return tf::read_torch_file(source);
  } catch (const tf::CutShort& error) {
    if (file.pieces.back() == file.name) throw;  // whole
    throw Error(CKB_NOT_FOUND,
                fmt::format("{}; probably the last piece is missing: {} piece{} found, up to {}",
                            error.what(), file.pieces.size(),
                            file.pieces.size() == 1 ? " was" : "s were", file.pieces.back()));
  }
}

// Reads one rank's file into the graph.
class RankReader {
 public:
  RankReader(Graph& out, const LogicalFile& file, int rank, int world)
      : out_(out),
        file_(out.open_file(file.pieces)),
        source_(out, file_, file.name),
        pt_(read_pieces(source_, file)),
        rank_(rank),
        world_(world) {}

  // Gives the family of models that the names of the tensors show; "" where they show none.
  std::string_view read() {
    for (const auto& [key, storage] : pt_.storages) {
      out_.add_storage(file_, storage.offset, storage.size);
    }
    const auto [module, others] = find_module();
    require_rank_of_world(others);
    const std::set<std::string> buffers = buffer_names(others);
    std::string_view family;
    for (const tf::Item& item : tf::items_of(pt_.values, module)) {
      const std::string name =
          tf::require_string(pt_.values, item.key, source_.name() + ": module");
      if (family.empty()) family = ckptbridge::state_dict::family_of(name);
      if (!name.ends_with("_extra_state") && add_tensor(name, item.value, buffers)) continue;
      add_object(name, item.value);
    }
    for (const auto& [name, value] : others) add_object(name, value);
    drop_rest();
    return family;
  }

 private:
  using Others = std::vector<std::pair<std::string, tf::ValueId>>;

  // The dict of parameters, and what else the file holds, by name.
  std::pair<tf::ValueId, Others> find_module() const {
    const tf::Values& values = pt_.values;
    tf::ValueId root = pt_.root;
    if (const auto model = tf::find(values, root, "model");
        model && tf::is_mapping(values, *model)) {
      root = *model;
    }
    const auto module = tf::find(values, root, "module");
    if (module && tf::is_mapping(values, *module)) {
      Others others;
      for (const tf::Item& item : tf::items_of(values, root)) {
        if (item.value == *module && values.as_string(item.key) == "module") continue;
        others.emplace_back(key_text(item.key), item.value);
      }
      return {*module, others};
    }
    for (const tf::Item& item : tf::items_of(values, root)) {
      if (tf::read_tensor(values, item.value, source_.name())) return {root, {}};
    }
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: holds {}, not a model's state: expected a dict with \"module\", or "
                    "one of tensors",
                    source_.name(), tf::describe(values, pt_.root)));
  }

  std::string key_text(tf::ValueId key) const {
    const auto text = pt_.values.as_string(key);
    return text && !text->empty() ? std::string(*text) : tf::describe(pt_.values, key);
  }

  // Rank files that came from a larger set would convert to a part of a model, in silence.
  void require_rank_of_world(const Others& others) const {
    for (const auto& [name, value] : others) {
      if (name != "mp_world_size") continue;
      const auto said = pt_.values.as_int(value);
      if (!said || *said == world_) return;
      throw Error(
          CKB_NOT_FOUND,
          fmt::format("{}: is model-parallel rank {} of {} (mp_world_size), but {} rank "
                      "file{} found; give the folder that holds all of them",
                      source_.name(), rank_, *said, world_, world_ == 1 ? " was" : "s were"));
    }
  }

  std::set<std::string> buffer_names(const Others& others) const {
    std::set<std::string> result;
    for (const auto& [name, value] : others) {
      if (name != "buffer_names" || pt_.values.kind(value) != tf::Kind::kList) continue;
      for (const tf::ValueId element : pt_.values.elements(value)) {
        if (const auto text = pt_.values.as_string(element)) result.emplace(*text);
      }
    }
    return result;
  }

  // The same view of the same storage is the same node: the tensors are tied.
  ckb_node extent(const tf::Tensor& tensor) {
    const auto key = std::tuple(tensor.storage.key, tensor.offset, tensor.shape, tensor.strides,
                                std::tuple(tensor.dtype.code, tensor.dtype.bits));
    if (const auto it = extents_.find(key); it != extents_.end()) return it->second;
    const std::uint64_t item = ckptbridge::item_size(tensor.dtype);
    const ckb_node node =
        out_.add_extent(file_, pt_.extent(tensor.storage).offset + tensor.offset * item,
                        tensor.dtype, tensor.shape, tensor.strides);
    if (tensor.count() > 0) touched_.insert(pt_.home(tensor.storage));
    return extents_[key] = node;
  }

  bool add_tensor(const std::string& name, tf::ValueId value,
                  const std::set<std::string>& buffers) {
    const auto tensor = tf::read_tensor(pt_.values, value, source_.name() + ": " + name);
    if (!tensor) return false;
    const std::uint32_t flags = (tensor->requires_grad ? CKB_REQUIRES_GRAD : 0) |
                                (tensor->is_parameter ? CKB_IS_PARAMETER : 0);
    out_.add_tensor({.name = name,
                     .role = buffers.contains(name) ? "buffer" : "param",
                     .value = extent(*tensor),
                     .mp_rank = rank_,
                     .mp_world_size = world_,
                     .flags = flags},
                    tensor->shape, tensor->dtype);
    return true;
  }

  // The object as a pickle of its own, whose storages are numbered from 0.
  void add_object(const std::string& name, tf::ValueId value) {
    tf::Bytes text = tf::pickle(pt_.values, value);
    std::vector<ckb_node> storages;
    tf::Values own;
    const tf::ValueId root = tf::unpickle(own, text, source_.name() + ": " + name).root;
    tf::rename_storages(own, root, [&](const tf::Storage& storage) {
      const Dtype dtype = storage.dtype.value_or(ckptbridge::kUInt8);
      const Shape shape{static_cast<std::int64_t>(storage.count)};
      storages.push_back(out_.add_extent(file_, pt_.extent(storage).offset, dtype, shape));
      if (storage.count > 0) touched_.insert(pt_.home(storage));
      return std::to_string(storages.size() - 1);
    });
    if (!storages.empty()) text = tf::pickle(own, root);
    out_.add_object(name, "pickle", text, storages, rank_);
  }

  // Bytes of storages outside every view: torch.save writes whole storages.
  void drop_rest() {
    for (const auto& [key, storage] : pt_.storages) {
      if (storage.size == 0) continue;
      if (touched_.contains(key)) {
        out_.drop_untouched(file_, storage.offset, storage.size,
                            "bytes of storages that no tensor shows (padding, tails of views)");
        continue;
      }
      const Shape shape{static_cast<std::int64_t>(storage.size)};
      out_.drop(out_.add_extent(file_, storage.offset, ckptbridge::kUInt8, shape),
                "storages that no tensor shows");
    }
  }

  Graph& out_;
  const ckb_file file_;
  const tf::HostSource source_;
  const tf::TorchFile pt_;
  const int rank_;
  const int world_;
  std::map<std::tuple<std::string, std::uint64_t, std::vector<std::int64_t>,
                      std::vector<std::int64_t>, std::tuple<int, int>>,
           ckb_node>
      extents_;
  std::set<std::string> touched_;  // keys of storages of which some tensor shows something
};

class Zero1Reader : public ckptbridge::plugin::Reader {
 public:
  // A folder: by its names. A file: by its first bytes, a zip's or a legacy .pt's.
  static int probe(const char* path) {
    try {
      const RankFiles found = ckptbridge::deepspeed::find_rank_files(path, "");
      if (!found.single || ckptbridge::deepspeed::model_rank_of(found.files[0].name)) return 95;
      const std::filesystem::path first(found.files[0].pieces[0]);
      std::ifstream in(std::filesystem::path(found.folder) / first.filename(), std::ios::binary);
      std::array<char, tf::kTorchFileHead> head{};
      in.read(head.data(), head.size());
      const auto size = static_cast<std::size_t>(in.gcount());
      if (tf::starts_as_torch_file(std::as_bytes(std::span(head).first(size)))) return 50;
    } catch (const Error&) {
      // Some of it is there: read_graph() says more.
      return ckptbridge::deepspeed::concerns_rank_files(path) ? 40 : 0;
    }
    return 0;
  }

  Zero1Reader(const char* path, const char* options)
      : path_(path),
        tag_(nlohmann::json::parse(options).value("tag", "")),
        glob_(nlohmann::json::parse(options).value("glob-pattern", "")) {}

  void read_graph(Graph& out) override {
    const RankFiles files = ckptbridge::deepspeed::find_rank_files(path_, tag_, glob_);
    const int world = static_cast<int>(files.files.size());
    std::string_view family;
    for (int rank = 0; rank < world; ++rank) {
      if (ckptbridge::plugin::host->cancelled(ckptbridge::plugin::host)) {
        throw Error(CKB_CANCELLED, "stopped as asked");
      }
      const std::string_view found =
          RankReader(out, files.files[static_cast<std::size_t>(rank)], rank, world).read();
      if (family.empty()) family = found;
    }
    ckptbridge::deepspeed::add_config_files(out, path_, files.folder);
    out.set_property("format", "zero1");
    out.set_property("mp_world_size", std::to_string(world));
    if (!family.empty()) out.set_property("names", std::string(family));
  }

 private:
  std::string path_;
  std::string tag_;
  std::string glob_;
};

}  // namespace

CKPTBRIDGE_READER(Zero1Reader, "zero1-reader", CKPTBRIDGE_VERSION)
