#include "plugins/nemo2/nemo2_folder.h"

#include <algorithm>
#include <regex>

#include "plugins/nemo2/input_folder.h"
#include "plugins/state_dict/plain_tensors.h"
#include "plugins/torch_file/host_source.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::nemo2 {
namespace {

using torch_file::ValueId;
using torch_file::Values;

constexpr std::string_view kContext = "context/";
constexpr std::string_view kExtraState = "_extra_state";
constexpr std::string_view kShard = "/shard_";
constexpr std::string_view kOnlyShard = "/shard_0_1";  // offset 0 of shape (1,)

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// common.pt must be there for megatron-core up to 0.18; an empty dict will do.
torch_file::ZipLayout empty_common() {
  Values values;
  const ValueId root = values.dict();
  return torch_file::lay_out_torch_file(torch_file::pickle(values, root), {});
}

void put_pt(plugin::Layout& out, const std::string& path, const torch_file::ZipLayout& zip,
            std::span<const ckb_node> storages) {
  torch_file::put_torch_file(out, out.add_file(path, zip.size), 0, zip, storages);
}

// Returns the text of metadata.json for a backend, "torch_dist" or "zarr", as Python's json.dump
// writes it.
std::string metadata_json(const std::string& backend) {
  return R"({"sharded_backend": ")" + backend +
         R"(", "sharded_backend_version": 1, "common_backend": "torch", "common_backend_version": 1})";
}

// Returns io.json with save_ckpt_format set to this backend, and every other byte as it was. The
// item is ["Attr(name='save_ckpt_format')", {"type": "leaf", "value": "zarr", …}]. Not parsed:
// Python's JSON may hold NaN and Infinity, which other parsers refuse.
std::string with_save_format(std::string_view io_json, const std::string& backend) {
  static const std::regex kItem(
      R"re(("Attr\(name='save_ckpt_format'\)"\s*,\s*\{[^{}]*?"value"\s*:\s*")(torch_dist|zarr)("))re");
  return std::regex_replace(std::string(io_json), kItem, "$1" + backend + "$3");
}

}  // namespace

void put_file(plugin::Layout& out, const std::string& path, std::span<const std::byte> bytes) {
  out.put_bytes(out.add_file(path, bytes.size()), 0, bytes);
}

std::vector<plugin::TensorView> tensors_by_name(const plugin::ConstGraph& graph) {
  std::vector<plugin::TensorView> tensors;
  for (std::uint64_t i = 0; i < graph.tensor_count(); ++i) tensors.push_back(graph.tensor(i));
  std::ranges::sort(tensors, {}, &plugin::TensorView::name);
  return tensors;
}

void require_weight(const plugin::TensorView& tensor) {
  state_dict::require_whole_weight(tensor);
  const std::string name(tensor.name);
  if (is_optimizer_state(name)) {
    throw Error(CKB_UNSUPPORTED,
                name + ": is a name that NeMo2 checkpoints have for optimizer state only",
                {.tensor = name});
  }
}

torch_file::ZipLayout object_file(const plugin::ObjectView& object, bool in_list) {
  const std::string name(object.name);
  if (object.kind != "pickle") {
    throw Error(CKB_UNSUPPORTED, name + ": is " + std::string(object.kind) +
                                     ", but a checkpoint of torch holds pickles only");
  }
  Values values;
  ValueId root = torch_file::unpickle(values, object.data, name).root;
  std::vector<std::uint64_t> sizes(object.storages.size());
  for (const torch_file::Storage& storage : torch_file::storages_of(values, root, name)) {
    std::size_t number = sizes.size();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (storage.key == std::to_string(i)) number = i;
    }
    if (number == sizes.size()) {
      throw Error(CKB_CORRUPT, name + ": names a storage \"" + storage.key + "\" that it lacks");
    }
    sizes[number] = storage.size;
  }
  if (in_list) root = values.list({root});
  return torch_file::lay_out_torch_file(torch_file::pickle(values, root), sizes);
}

bool is_sharded_key(std::string_view key) { return key.find(kShard) != std::string_view::npos; }

std::string object_name(std::string_view key) {
  const std::string_view stem = key.substr(0, key.find(kShard));
  const bool is_alone = key.substr(stem.size()) == kOnlyShard;
  return std::string(is_alone && stem.ends_with(kExtraState) ? stem : key);
}

std::optional<std::string> object_key(std::string_view name) {
  if (is_sharded_key(name)) return std::string(name);
  if (name.ends_with(kExtraState)) return std::string(name) + std::string(kOnlyShard);
  return std::nullopt;
}

std::vector<plugin::ObjectView> put_context(plugin::Graph& graph, plugin::Layout& out,
                                            const std::string& backend) {
  const plugin::ConstGraph in = graph.view();
  std::vector<plugin::ObjectView> sharded;
  bool has_common = false;
  bool has_context = false;
  for (std::uint64_t i = 0; i < in.object_count(); ++i) {
    const plugin::ObjectView object = in.object(i);
    if (object.name == kContextJson) {
      const std::string_view text(reinterpret_cast<const char*>(object.data.data()),
                                  object.data.size());
      put_file(out, kContextJson, bytes_of(with_save_format(text, backend)));
      has_context = true;
    } else if (object.name.starts_with(kContext) && object.kind != "pickle") {
      put_file(out, std::string(object.name), object.data);
    } else if (object.name == kCommon) {
      put_pt(out, "weights/common.pt", object_file(object, false), object.storages);
      has_common = true;
    } else if (object_key(object.name)) {
      sharded.push_back(object);
    } else {
      graph.drop_object(object.name, "state that a NeMo2 checkpoint has no place for");
    }
  }
  if (!has_context) {
    graph.note(
        "the output has no context/io.json, without which NeMo does not load it: the input "
        "has none");
  }
  if (!has_common) put_pt(out, "weights/common.pt", empty_common(), {});
  put_file(out, "weights/metadata.json", bytes_of(metadata_json(backend)));
  return sharded;
}

}  // namespace ckptbridge::nemo2
