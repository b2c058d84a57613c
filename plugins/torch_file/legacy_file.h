// What torch.save wrote before 1.6, and still does on wish: no zip, one stream.
//
//   pickle    the magic number 0x1950A86A20F9469CFC6C
//   pickle    the protocol, 1001
//   pickle    {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {...}}
//   pickle    the object; a storage is the persistent id
//             ('storage', class, key, location, count, view), with count in elements and view
//             None or (key of the view, first element, elements); in the oldest without view;
//             ('module', class, file, source) is a class
//   pickle    the keys of the storages, a list
//   then for each key, in this order: i64 count of elements, and the elements
// Nothing is aligned. Offsets and strides of tensors on a view count from its first element.
// Source: torch/serialization.py, _legacy_save and _legacy_load, of 0.4 to 2.13, and
// torch/csrc/serialization.cpp; DeepSpeed with "checkpoint": {"checkpoint_serialization": false}.
#pragma once

#include <cstddef>
#include <span>

#include "plugins/torch_file/byte_source.h"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge::torch_file {

// How many of the first bytes of a file starts_as_legacy() needs.
inline constexpr std::size_t kLegacyHead = 32;

// Returns true if head begins as the pickled magic number does, in whatever protocol of pickle.
bool starts_as_legacy(std::span<const std::byte> head);

// As read_torch_file(), for a file that starts as legacy.
TorchFile read_legacy_file(const ByteSource& source);

}  // namespace ckptbridge::torch_file
