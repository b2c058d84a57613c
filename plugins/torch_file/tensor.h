// Tensors and storages among the values of a .pt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ckptbridge/dtype.hpp"
#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

// What a persistent id says: ('storage', class, key, location, count).
struct Storage {
  std::string key;             // the record is data/<key>
  std::optional<Dtype> dtype;  // nullopt: untyped, count is bytes
  std::string location;        // "cpu", "cuda:0"
  std::uint64_t count = 0;     // elements
  std::uint64_t size = 0;      // bytes
};

// Throws CKB_CORRUPT when the value is no persistent id of a storage, CKB_UNSUPPORTED for quantized
// storages.
Storage read_storage(const Values& values, ValueId persistent, const std::string& where);

// A view of a storage. Checked: it lies inside, and its bytes can be counted in 63 bits.
struct Tensor {
  Storage storage;
  Dtype dtype{};
  std::uint64_t offset = 0;  // of the first element in the storage, in elements
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements; never negative
  bool requires_grad = false;
  bool is_parameter = false;

  std::uint64_t count() const;  // elements
  bool is_contiguous() const;   // row-major without gaps
};

// Returns nullopt when the value is not a tensor over a storage (sparse, quantized and meta tensors
// are not). Throws CKB_CORRUPT for an impossible tensor: outside its storage, a negative size, 65
// dims.
std::optional<Tensor> read_tensor(const Values& values, ValueId id, const std::string& where);
// As read_tensor(), but throws CKB_CORRUPT when the value is not a tensor.
Tensor require_tensor(const Values& values, ValueId id, const std::string& where);

// Row-major strides as torch computes them: a size of 0 counts as 1.
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

// Returns the value that torch.save makes of a tensor. Of the storage, key and size are used; the
// location is always cpu. Throws CKB_UNSUPPORTED for a dtype that torch does not have.
ValueId make_tensor(Values& values, const Tensor& tensor);
// A contiguous tensor that fills the storage of that key.
ValueId make_tensor(Values& values, const std::string& key, Dtype dtype,
                    const std::vector<std::int64_t>& shape, bool requires_grad = false);
// An empty collections.OrderedDict; fill it with Values::set_item.
ValueId make_ordered_dict(Values& values);
// torch.Size(shape).
ValueId make_size(Values& values, const std::vector<std::int64_t>& shape);

// Sets the key of each storage that root reaches to what new_key returns, and its location to cpu.
// Calls new_key once for each key, in the order of first use.
void rename_storages(Values& values, ValueId root,
                     const std::function<std::string(const Storage&)>& new_key);
// Returns the storages that root reaches, each key once, in the order of first use. Throws
// CKB_CORRUPT when two uses of one key disagree about dtype or count.
std::vector<Storage> storages_of(const Values& values, ValueId root, const std::string& where);

}  // namespace ckptbridge::torch_file
