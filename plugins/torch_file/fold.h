// Calls that only spell a plain value, because a protocol has no opcode for it.
//
//   _codecs.encode(text, 'latin1')            bytes (protocols 0 to 2)
//   builtins.bytes()                          empty bytes
//   builtins.set([...]), frozenset([...])     protocols 0 to 3
//   collections.OrderedDict([[key, value]])   old torch; today's form sets the items one by one
#pragma once

#include <cstdint>
#include <optional>

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

class Folder {
 public:
  // budget bounds what folding copies: one argument may be named by any number of calls.
  Folder(Values& values, std::uint64_t budget) : values_(values), budget_(budget) {}

  // Returns the plain value of callable(*args), or nullopt where the call makes no plain value.
  std::optional<ValueId> fold(ValueId callable, ValueId args);

 private:
  std::optional<ValueId> fold_bytes(ValueId args);
  std::optional<ValueId> fold_ordered_dict(ValueId callable, ValueId args);
  bool spend(std::uint64_t size);

  Values& values_;
  std::uint64_t budget_;
};

}  // namespace ckptbridge::torch_file
