// A pickle at the start of a longer stream, whose length nobody says.
#pragma once

#include <cstdint>
#include <string>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

// Returns the bytes of the pickle that begins at offset, its STOP included. The lengths of the
// opcodes tell where it ends, so that little of what follows is read: 4 KiB, or as much again as
// the pickle has. Throws CKB_CORRUPT when there is no pickle, or none that ends; CKB_UNSUPPORTED
// when it has more than max_size bytes.
Bytes read_pickle(const ByteSource& source, std::uint64_t offset, std::uint64_t max_size,
                  const std::string& what);

}  // namespace ckptbridge::torch_file
