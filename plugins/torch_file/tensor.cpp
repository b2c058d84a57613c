// The calls by which torch rebuilds tensors and parameters (torch/_utils.py, torch/_tensor.py):
//
//   _rebuild_tensor(storage, offset, size, stride)                                    very old
//   _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])
//   _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata])
//   _rebuild_parameter(tensor, requires_grad, hooks), _rebuild_parameter_with_state(..., state)
//   torch._tensor: _rebuild_from_type_v2(call, type, args, state), _rebuild_from_type (same order)
//
// Offsets and strides count elements. A storage's class says its dtype; v3 has an untyped storage,
// counted in bytes, and says the dtype itself.
#include "plugins/torch_file/tensor.h"

#include <algorithm>
#include <limits>
#include <map>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/lookup.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::size_t kMaxDims = 64;  // torch's own bound
// torch wraps a tensor in at most two of the calls above; more are an endless chain.
constexpr int kMaxWraps = 8;
constexpr auto kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

struct StorageClass {
  Dtype dtype;
  std::string_view name;  // in module torch
};

constexpr StorageClass kStorageClasses[] = {
    {kFloat64, "DoubleStorage"},
    {kFloat32, "FloatStorage"},
    {kFloat16, "HalfStorage"},
    {kBFloat16, "BFloat16Storage"},
    {kInt64, "LongStorage"},
    {kInt32, "IntStorage"},
    {kInt16, "ShortStorage"},
    {kInt8, "CharStorage"},
    {kUInt8, "ByteStorage"},
    {kBool, "BoolStorage"},
    {kComplex64, "ComplexFloatStorage"},
    {kComplex128, "ComplexDoubleStorage"},
};

[[noreturn]] void corrupt(const std::string& where, const std::string& message) {
  throw Error(CKB_CORRUPT, where + ": " + message);
}

std::uint64_t non_negative(const Values& values, ValueId id, const std::string& where,
                           const char* what) {
  const auto value = values.as_int(id);
  if (!value || *value < 0) {
    corrupt(where, std::string("its ") + what + " is " + describe(values, id));
  }
  return static_cast<std::uint64_t>(*value);
}

std::span<const ValueId> require_elements(const Values& values, ValueId id, std::size_t at_least,
                                          const std::string& where) {
  if (values.kind(id) != Kind::kTuple || values.elements(id).size() < at_least) {
    corrupt(where, "the arguments of the tensor are " + describe(values, id) +
                       ", expected at least " + std::to_string(at_least));
  }
  return values.elements(id);
}

bool multiply(std::uint64_t& value, std::uint64_t factor) {
  return !__builtin_mul_overflow(value, factor, &value) && value <= kMaxSize;
}

std::string listed(const std::vector<std::int64_t>& numbers) {
  std::string text = "[";
  for (const std::int64_t number : numbers) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(number);
  }
  return text + "]";
}

// The view lies in its storage of `count` elements, and its bytes can be counted.
void require_inside(const Tensor& tensor, std::uint64_t count, const std::string& where) {
  if (tensor.shape.size() != tensor.strides.size() || tensor.shape.size() > kMaxDims) {
    corrupt(where, "the tensor has " + std::to_string(tensor.shape.size()) + " sizes and " +
                       std::to_string(tensor.strides.size()) + " strides, at most " +
                       std::to_string(kMaxDims) + " are possible");
  }
  std::uint64_t bytes = item_size(tensor.dtype);
  std::uint64_t last = tensor.offset;
  bool is_empty = false;
  bool is_countable = true;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] < 0 || tensor.strides[i] < 0) {
      corrupt(where, "the tensor has a negative size or stride: shape " + listed(tensor.shape) +
                         ", strides " + listed(tensor.strides));
    }
    is_empty |= tensor.shape[i] == 0;
  }
  if (is_empty) return;
  for (std::size_t i = 0; i < tensor.shape.size() && is_countable; ++i) {
    const auto size = static_cast<std::uint64_t>(tensor.shape[i]);
    std::uint64_t reach = size - 1;
    is_countable = multiply(bytes, size) &&
                   multiply(reach, static_cast<std::uint64_t>(tensor.strides[i])) &&
                   !__builtin_add_overflow(last, reach, &last);
  }
  if (!is_countable || last >= count) {
    corrupt(where, "the tensor of shape " + listed(tensor.shape) + ", strides " +
                       listed(tensor.strides) + " and offset " + std::to_string(tensor.offset) +
                       " does not lie in its storage '" + tensor.storage.key + "' of " +
                       std::to_string(count) + " elements");
  }
}

// A set negation or conjugation is not in the bytes (torch/_utils.py, get_tensor_metadata).
void require_plain_metadata(const Values& values, ValueId metadata, const std::string& where) {
  for (const Item& item : items_of(values, metadata)) {
    if (values.as_bool(item.value) == true) {
      throw Error(CKB_UNSUPPORTED, where + ": the tensor is stored before its operation " +
                                       describe(values, item.key) +
                                       "; save it again after tensor.resolve_conj().resolve_neg()");
    }
  }
}

Dtype require_dtype(const Values& values, ValueId id, const std::string& where) {
  const auto global = values.as_global(id);
  Dtype dtype{};
  if (!global || global->module != "torch" || !parse_dtype(global->name, dtype)) {
    throw Error(CKB_UNSUPPORTED, where + ": the tensor has the type " + describe(values, id) +
                                     ", which is not known");
  }
  return dtype;
}

enum class Call : std::uint8_t { kNone, kTensor, kTensorV2, kTensorV3, kParameter, kFromType };

Call call_of(const Values& values, ValueId callable) {
  const auto global = values.as_global(callable);
  if (!global) return Call::kNone;
  if (global->module == "torch._tensor") {
    return global->name == "_rebuild_from_type_v2" || global->name == "_rebuild_from_type"
               ? Call::kFromType
               : Call::kNone;
  }
  if (global->module != "torch._utils") return Call::kNone;
  if (global->name == "_rebuild_tensor_v2") return Call::kTensorV2;
  if (global->name == "_rebuild_tensor_v3") return Call::kTensorV3;
  if (global->name == "_rebuild_tensor") return Call::kTensor;
  if (global->name == "_rebuild_parameter" || global->name == "_rebuild_parameter_with_state") {
    return Call::kParameter;
  }
  return Call::kNone;
}

Tensor read_view(const Values& values, Call call, ValueId args_id, const std::string& where) {
  const std::size_t needed = call == Call::kTensor ? 4 : call == Call::kTensorV2 ? 6 : 7;
  const auto args = require_elements(values, args_id, needed, where);
  Tensor tensor;
  tensor.storage = read_storage(values, args[0], where);
  tensor.offset = non_negative(values, args[1], where, "offset");
  auto shape = int_list(values, args[2]);
  auto strides = int_list(values, args[3]);
  if (!shape || !strides) {
    corrupt(where, "the tensor's shape and strides are " + describe(values, args[2]) + " and " +
                       describe(values, args[3]) + ", expected two lists of integers");
  }
  tensor.shape = std::move(*shape);
  tensor.strides = std::move(*strides);
  if (call != Call::kTensor) tensor.requires_grad = values.as_bool(args[4]).value_or(false);
  if (call == Call::kTensorV3) {
    tensor.dtype = require_dtype(values, args[6], where);
  } else if (tensor.storage.dtype) {
    tensor.dtype = *tensor.storage.dtype;
  } else {
    corrupt(where, "the tensor has an untyped storage and no type");
  }
  if (args.size() > needed) require_plain_metadata(values, args[needed], where);
  require_inside(tensor, tensor.storage.size / item_size(tensor.dtype), where);
  return tensor;
}

ValueId storage_class(Values& values, std::optional<Dtype> dtype) {
  for (const StorageClass& known : kStorageClasses) {
    if (dtype == known.dtype) return values.global("torch", known.name);
  }
  return values.global("torch.storage", "UntypedStorage");
}

bool has_storage_class(Dtype dtype) {
  return std::ranges::any_of(kStorageClasses,
                             [&](const StorageClass& known) { return known.dtype == dtype; });
}

ValueId storage_pid(Values& values, ValueId storage_class, const std::string& key,
                    std::uint64_t count) {
  return values.tuple({values.string("storage"), storage_class, values.string(key),
                       values.string("cpu"), values.integer(static_cast<std::int64_t>(count))});
}

ValueId int_tuple(Values& values, const std::vector<std::int64_t>& numbers) {
  std::vector<ValueId> elements;
  elements.reserve(numbers.size());
  for (const std::int64_t number : numbers) elements.push_back(values.integer(number));
  return values.tuple(elements);
}

}  // namespace

Storage read_storage(const Values& values, ValueId persistent, const std::string& where) {
  if (values.kind(persistent) != Kind::kPersistentId) {
    corrupt(where, "found " + describe(values, persistent) + " where a storage was expected");
  }
  const ValueId pid = values.persistent_id_of(persistent);
  if (values.kind(pid) != Kind::kTuple || values.elements(pid).size() != 5 ||
      values.as_string(values.elements(pid)[0]) != "storage") {
    corrupt(where, "a persistent id is " + describe(values, pid) +
                       ", expected ('storage', class, key, location, count)");
  }
  const auto parts = values.elements(pid);
  Storage storage;
  storage.key = require_string(values, parts[2], where + ": the key of a storage");
  storage.location = require_string(values, parts[3], where + ": the location of a storage");
  storage.count = non_negative(values, parts[4], where, "storage's count");
  const auto global = values.as_global(parts[1]);
  const bool is_untyped = global && global->name == "UntypedStorage" &&
                          (global->module == "torch.storage" || global->module == "torch");
  std::uint64_t size = 1;
  if (!is_untyped) {
    const StorageClass* known = nullptr;
    if (global && (global->module == "torch" || global->module == "torch.cuda")) {
      known = std::ranges::find(kStorageClasses, global->name, &StorageClass::name);
    }
    if (known == nullptr || known == std::end(kStorageClasses)) {
      throw Error(CKB_UNSUPPORTED, where + ": storage '" + storage.key + "' is of " +
                                       describe(values, parts[1]) + ", which is not known");
    }
    storage.dtype = known->dtype;
    size = item_size(known->dtype);
  }
  storage.size = storage.count;
  if (!multiply(storage.size, size)) {
    corrupt(where, "storage '" + storage.key + "' is said to have " +
                       std::to_string(storage.count) + " elements");
  }
  return storage;
}

std::uint64_t Tensor::count() const {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

bool Tensor::is_contiguous() const {
  if (count() == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;  // its stride is never used
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::optional<Tensor> read_tensor(const Values& values, ValueId id, const std::string& where) {
  if (values.kind(id) != Kind::kObject) return std::nullopt;
  ValueId callable = values.object(id).callable;
  ValueId args = values.object(id).args;
  std::optional<bool> parameter_requires_grad;
  for (int wraps = 0; wraps < kMaxWraps; ++wraps) {
    const Call call = call_of(values, callable);
    if (call == Call::kNone) return std::nullopt;
    if (call == Call::kFromType) {
      const auto elements = require_elements(values, args, 4, where);
      callable = elements[0];
      args = elements[2];
    } else if (call == Call::kParameter) {
      const auto elements = require_elements(values, args, 2, where);
      if (values.kind(elements[0]) != Kind::kObject) return std::nullopt;
      if (!parameter_requires_grad) {
        parameter_requires_grad = values.as_bool(elements[1]).value_or(false);
      }
      callable = values.object(elements[0]).callable;
      args = values.object(elements[0]).args;
    } else {
      Tensor tensor = read_view(values, call, args, where);
      tensor.is_parameter = parameter_requires_grad.has_value();
      if (parameter_requires_grad) tensor.requires_grad = *parameter_requires_grad;
      return tensor;
    }
  }
  corrupt(where, "the tensor is wrapped in more than " + std::to_string(kMaxWraps) + " calls");
}

Tensor require_tensor(const Values& values, ValueId id, const std::string& where) {
  if (auto tensor = read_tensor(values, id, where)) return std::move(*tensor);
  corrupt(where, "found " + describe(values, id) + ", expected a tensor");
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    // Only the strides of an empty tensor can be too large to count; nobody uses them.
    if (__builtin_mul_overflow(stride, std::max<std::int64_t>(shape[i], 1), &stride)) {
      stride = std::numeric_limits<std::int64_t>::max();
    }
  }
  return strides;
}

ValueId make_ordered_dict(Values& values) {
  return values.reduce(values.global("collections", "OrderedDict"), Values::empty_tuple());
}

ValueId make_size(Values& values, const std::vector<std::int64_t>& shape) {
  const ValueId sizes = int_tuple(values, shape);
  return values.reduce(values.global("torch", "Size"), values.tuple({sizes}));
}

ValueId make_tensor(Values& values, const Tensor& tensor) {
  const bool is_v3 = !has_storage_class(tensor.dtype);
  const std::string dtype = dtype_name(tensor.dtype);
  Dtype known{};
  const std::uint64_t element_size = item_size(tensor.dtype);
  if (element_size == 0 || (is_v3 && !parse_dtype(dtype, known))) {
    throw Error(CKB_UNSUPPORTED, "a .pt cannot hold a tensor of type " + dtype);
  }
  const std::uint64_t elements = tensor.storage.size / element_size;
  require_inside(tensor, elements, "tensor to write");
  const std::uint64_t count = is_v3 ? tensor.storage.size : elements;
  const ValueId pid =
      storage_pid(values, storage_class(values, is_v3 ? std::nullopt : std::optional(tensor.dtype)),
                  tensor.storage.key, count);
  std::vector<ValueId> args{values.persistent_id(pid),
                            values.integer(static_cast<std::int64_t>(tensor.offset)),
                            int_tuple(values, tensor.shape),
                            int_tuple(values, tensor.strides),
                            Values::boolean(tensor.requires_grad && !tensor.is_parameter),
                            make_ordered_dict(values)};
  if (is_v3) args.push_back(values.global("torch", dtype));
  const ValueId rebuild =
      values.global("torch._utils", is_v3 ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
  const ValueId id = values.reduce(rebuild, values.tuple(args));
  if (!tensor.is_parameter) return id;
  return values.reduce(
      values.global("torch._utils", "_rebuild_parameter"),
      values.tuple({id, Values::boolean(tensor.requires_grad), make_ordered_dict(values)}));
}

ValueId make_tensor(Values& values, const std::string& key, Dtype dtype,
                    const std::vector<std::int64_t>& shape, bool requires_grad) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.shape = shape;
  tensor.strides = contiguous_strides(shape);
  tensor.requires_grad = requires_grad;
  tensor.storage.key = key;
  tensor.storage.size = tensor.count() * item_size(dtype);
  return make_tensor(values, tensor);
}

void rename_storages(Values& values, ValueId root,
                     const std::function<std::string(const Storage&)>& new_key) {
  std::vector<ValueId> uses;
  for_each_reachable(values, root, [&](ValueId id) {
    if (values.kind(id) == Kind::kPersistentId) uses.push_back(id);
  });
  std::map<std::string, std::string> keys;
  for (const ValueId id : uses) {
    const Storage storage = read_storage(values, id, "storage to rename");
    auto found = keys.find(storage.key);
    if (found == keys.end()) found = keys.emplace(storage.key, new_key(storage)).first;
    const ValueId old_class = values.elements(values.persistent_id_of(id))[1];
    values.set_persistent_id(id, storage_pid(values, old_class, found->second, storage.count));
  }
}

std::vector<Storage> storages_of(const Values& values, ValueId root, const std::string& where) {
  std::vector<Storage> storages;
  std::map<std::string, std::size_t> known;
  for_each_reachable(values, root, [&](ValueId id) {
    if (values.kind(id) != Kind::kPersistentId) return;
    Storage storage = read_storage(values, id, where);
    const auto [found, is_new] = known.emplace(storage.key, storages.size());
    if (is_new) {
      storages.push_back(std::move(storage));
      return;
    }
    const Storage& first = storages[found->second];
    if (first.dtype != storage.dtype || first.count != storage.count) {
      corrupt(where, "storage '" + storage.key + "' is said to have " +
                         std::to_string(first.count) + " and " + std::to_string(storage.count) +
                         " elements, or two types");
    }
  });
  return storages;
}

}  // namespace ckptbridge::torch_file
