#include "plugins/nemo2/dcp_metadata.h"

#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/value.h"

namespace ckptbridge::nemo2 {
namespace {

using torch_file::ValueId;
using torch_file::Values;

constexpr char kMetadata[] = "torch.distributed.checkpoint.metadata";
constexpr char kFilesystem[] = "torch.distributed.checkpoint.filesystem";

// torch.strided, and the numbers of _MEM_FORMAT_ENCODING: what every tensor here is.
constexpr std::int64_t kContiguousFormat = 0;

// Builds the values of .metadata; names and common parts are made once and shared.
class Builder {
 public:
  torch_file::Bytes build(const std::vector<StoredTensor>& tensors,
                          const std::vector<StoredObject>& objects) {
    const ValueId state = values_.dict();
    const ValueId storage = values_.dict();
    for (const StoredTensor& tensor : tensors) {
      const ValueId key = values_.string(tensor.key);
      values_.set_item(state, key, tensor_metadata(tensor));
      for (const StoredChunk& chunk : tensor.chunks) {
        values_.set_item(storage, index(key, torch_file::make_size(values_, chunk.offsets)),
                         storage_info(chunk.item));
      }
    }
    for (const StoredObject& object : objects) {
      const ValueId key = values_.string(object.key);
      values_.set_item(state, key, make(kMetadata, "BytesStorageMetadata"));
      values_.set_item(storage, index(key, Values::none()), storage_info(object.item));
    }
    const ValueId root = make(kMetadata, "Metadata");
    values_.set_state(root, fields({{"state_dict_metadata", state},
                                    {"planner_data", Values::none()},
                                    {"storage_data", storage}}));
    return torch_file::pickle(values_, root);
  }

 private:
  ValueId make(const char* module, const char* name) {
    return values_.new_object(values_.global(module, name), Values::empty_tuple());
  }

  ValueId fields(const std::vector<std::pair<const char*, ValueId>>& members) {
    const ValueId dict = values_.dict();
    for (const auto& [name, value] : members) values_.set_item(dict, values_.string(name), value);
    return dict;
  }

  ValueId tensor_metadata(const StoredTensor& tensor) {
    const ValueId properties = make(kMetadata, "TensorProperties");
    const ValueId layout = values_.reduce(values_.global("torch.serialization", "_get_layout"),
                                          values_.tuple({values_.string("torch.strided")}));
    const ValueId format = values_.reduce(values_.global(kMetadata, "_MEM_FORMAT_ENCODING"),
                                          values_.tuple({values_.integer(kContiguousFormat)}));
    const ValueId no = Values::boolean(false);
    values_.set_state(properties, values_.tuple({values_.global("torch", dtype_name(tensor.dtype)),
                                                 layout, no, format, no}));
    const ValueId chunks = values_.list();
    for (const StoredChunk& chunk : tensor.chunks) {
      const ValueId entry = make(kMetadata, "ChunkStorageMetadata");
      values_.set_state(entry, fields({{"offsets", torch_file::make_size(values_, chunk.offsets)},
                                       {"sizes", torch_file::make_size(values_, chunk.sizes)}}));
      values_.append(chunks, entry);
    }
    const ValueId result = make(kMetadata, "TensorStorageMetadata");
    values_.set_state(result, fields({{"properties", properties},
                                      {"size", torch_file::make_size(values_, tensor.global_shape)},
                                      {"chunks", chunks}}));
    return result;
  }

  // Objects have no offset at all: the attribute then is the class's default, None.
  ValueId index(ValueId key, ValueId offset) {
    const ValueId result = make(kMetadata, "MetadataIndex");
    if (offset == Values::none()) {
      values_.set_state(result, fields({{"fqn", key}, {"index", Values::none()}}));
    } else {
      values_.set_state(result,
                        fields({{"fqn", key}, {"index", Values::none()}, {"offset", offset}}));
    }
    return result;
  }

  ValueId storage_info(const StoredItem& item) {
    const ValueId result = make(kFilesystem, "_StorageInfo");
    values_.set_state(result,
                      fields({{"relative_path", values_.string(item.path)},
                              {"offset", values_.integer(static_cast<std::int64_t>(item.offset))},
                              {"length", values_.integer(static_cast<std::int64_t>(item.size))}}));
    return result;
  }

  Values values_;
};

}  // namespace

torch_file::Bytes dcp_metadata(const std::vector<StoredTensor>& tensors,
                               const std::vector<StoredObject>& objects) {
  return Builder().build(tensors, objects);
}

}  // namespace ckptbridge::nemo2
