#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plugins/nemo2/dcp_metadata.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::nemo2 {
namespace {

using torch_file::ValueId;
using torch_file::Values;
using Sizes = std::vector<std::int64_t>;

// torch's own bound of dimensions.
constexpr std::size_t kMaxDims = 64;

[[noreturn]] void corrupt(const std::string& message) { throw Error(CKB_CORRUPT, message); }

// A chunk's or an object's key in storage_data; '\0' is in no name that a graph can have.
std::string item_key(const std::string& fqn, const std::optional<Sizes>& offsets) {
  return offsets ? fmt::format("{}{}{}", fqn, '\0', fmt::join(*offsets, ",")) : fqn;
}

class MetadataReader {
 public:
  MetadataReader(std::span<const std::byte> pickle, const std::string& name)
      : name_(name), root_(torch_file::unpickle(values_, pickle, name).root) {}

  DcpMetadata read() {
    const std::string found = torch_file::class_name(values_, root_);
    if (!found.ends_with(".Metadata") && !found.ends_with(".MCoreMetadata")) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: holds {}, expected torch.distributed.checkpoint's Metadata",
                              name_, torch_file::describe(values_, root_)));
    }
    read_items();
    DcpMetadata result;
    for (const auto& [key, entry] : dict(root_, "state_dict_metadata", name_)) {
      const std::string fqn = torch_file::require_string(values_, key, name_);
      if (torch_file::attribute(values_, entry, "chunks")) {
        result.tensors.push_back(tensor(fqn, entry));
      } else {
        result.objects.push_back({fqn, take_item(fqn, std::nullopt)});
      }
    }
    result.flattened = flattened();
    result.unlisted = items_.size() - taken_.size();
    return result;
  }

 private:
  std::vector<torch_file::Item> dict(ValueId object, const char* field, const std::string& where) {
    return torch_file::require_items(values_, required(object, field, where), where + ": " + field);
  }

  ValueId required(ValueId object, const char* field, const std::string& where) const {
    const auto found = torch_file::attribute(values_, object, field);
    if (!found) {
      corrupt(fmt::format("{}: {} has no {}", where, torch_file::describe(values_, object), field));
    }
    return *found;
  }

  Sizes sizes(ValueId object, const char* field, const std::string& where) const {
    const ValueId id = required(object, field, where);
    auto result = torch_file::int_list(values_, id);
    const auto is_negative = [](std::int64_t size) { return size < 0; };
    if (!result || result->size() > kMaxDims || std::ranges::any_of(*result, is_negative)) {
      corrupt(fmt::format("{}: its {} is {}, expected a list of sizes", where, field,
                          torch_file::describe(values_, id)));
    }
    return *std::move(result);
  }

  std::uint64_t position(ValueId info, const char* field, const std::string& where) const {
    const ValueId id = required(info, field, where);
    const auto value = values_.as_int(id);
    if (!value || *value < 0) {
      corrupt(fmt::format("{}: the {} of its item is {}", where, field,
                          torch_file::describe(values_, id)));
    }
    return static_cast<std::uint64_t>(*value);
  }

  void read_items() {
    for (const auto& [index, info] : dict(root_, "storage_data", name_)) {
      const std::string fqn =
          torch_file::require_string(values_, required(index, "fqn", name_), name_);
      const std::string where = name_ + ": " + fqn;
      std::optional<Sizes> offsets;
      if (const auto found = torch_file::attribute(values_, index, "offset");
          found && *found != Values::none()) {
        offsets = sizes(index, "offset", where);
      }
      if (const auto found = torch_file::attribute(values_, info, "transform_descriptors");
          found && *found != Values::none() && !is_empty(*found)) {
        throw Error(
            CKB_UNSUPPORTED,
            where + ": is compressed or transformed (transform_descriptors), which is not read",
            {.hint = "save the checkpoint again without it"});
      }
      items_[item_key(fqn, offsets)] = {
          torch_file::require_string(values_, required(info, "relative_path", where), where),
          position(info, "offset", where), position(info, "length", where)};
    }
  }

  bool is_empty(ValueId id) const {
    const torch_file::Kind kind = values_.kind(id);
    return (kind == torch_file::Kind::kList || kind == torch_file::Kind::kTuple) &&
           values_.elements(id).empty();
  }

  StoredItem take_item(const std::string& fqn, const std::optional<Sizes>& offsets) {
    const auto found = items_.find(item_key(fqn, offsets));
    if (found == items_.end()) {
      corrupt(offsets ? fmt::format("{}: {}: the chunk at {} lies in no file", name_, fqn, *offsets)
                      : fmt::format("{}: {}: the object lies in no file", name_, fqn));
    }
    taken_.insert(found->first);
    return found->second;
  }

  StoredTensor tensor(const std::string& fqn, ValueId entry) {
    const std::string where = name_ + ": " + fqn;
    StoredTensor result{fqn, dtype_of(entry), sizes(entry, "size", where), {}};
    const ValueId chunks = required(entry, "chunks", where);
    if (values_.kind(chunks) != torch_file::Kind::kList) {
      corrupt(fmt::format("{}: its chunks are {}, expected a list", where,
                          torch_file::describe(values_, chunks)));
    }
    for (const ValueId id : values_.elements(chunks)) {
      StoredChunk chunk{sizes(id, "offsets", where), sizes(id, "sizes", where), {}};
      require_inside(result, chunk, where);
      chunk.item = take_item(fqn, chunk.offsets);
      result.chunks.push_back(std::move(chunk));
    }
    return result;
  }

  static void require_inside(const StoredTensor& tensor, const StoredChunk& chunk,
                             const std::string& where) {
    const std::size_t ndim = tensor.global_shape.size();
    bool inside = chunk.offsets.size() == ndim && chunk.sizes.size() == ndim;
    for (std::size_t i = 0; inside && i < ndim; ++i) {
      inside = chunk.offsets[i] <= tensor.global_shape[i] &&
               chunk.sizes[i] <= tensor.global_shape[i] - chunk.offsets[i];
    }
    if (inside) return;
    corrupt(fmt::format("{}: the chunk of {} at {} does not lie in its {}", where, chunk.sizes,
                        chunk.offsets, tensor.global_shape));
  }

  // TensorProperties has a state of five: dtype, layout, requires_grad, mem_format, pin_memory.
  Dtype dtype_of(ValueId entry) const {
    Dtype dtype{};
    const auto properties = torch_file::attribute(values_, entry, "properties");
    if (!properties || values_.kind(*properties) != torch_file::Kind::kObject) return dtype;
    for (const torch_file::Edit& edit : values_.object(*properties).edits) {
      if (edit.op != torch_file::Edit::Op::kState ||
          values_.kind(edit.value) != torch_file::Kind::kTuple ||
          values_.elements(edit.value).empty()) {
        continue;
      }
      const auto global = values_.as_global(values_.elements(edit.value)[0]);
      if (global && global->module == "torch") parse_dtype(global->name, dtype);
    }
    return dtype;
  }

  std::set<std::string> flattened() const {
    std::set<std::string> keys;
    const auto data = torch_file::attribute(values_, root_, "mcore_data");
    if (!data) return keys;
    for (const auto& [key, facts] : torch_file::items_of(values_, *data)) {
      const auto fqn = values_.as_string(key);
      if (fqn && torch_file::find(values_, facts, "nd_reformulated_orig_global_shape")) {
        keys.emplace(*fqn);
      }
    }
    return keys;
  }

  const std::string& name_;
  Values values_;
  const ValueId root_;
  std::unordered_map<std::string, StoredItem> items_;
  std::unordered_set<std::string> taken_;
};

}  // namespace

DcpMetadata read_dcp_metadata(std::span<const std::byte> pickle, const std::string& name) {
  return MetadataReader(pickle, name).read();
}

}  // namespace ckptbridge::nemo2
