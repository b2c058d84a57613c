// A .pt file: one object, and the bytes of its tensors.
//
//   archive/data.pkl          the object, a pickle (protocol 2); storages are persistent ids
//   archive/byteorder         "little" (torch >= 2.1; absent: little)
//   archive/data/<key>        the bytes of storage <key>
//   archive/version           "3\n"
// torch adds .format_version, .storage_alignment (>= 2.7) and .data/serialization_id (>= 2.1).
// Files from before 1.6 are no zips, see legacy_file.h.
// Source: torch/serialization.py and caffe2/serialize/inline_container.cc of 1.13 to 2.13.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "plugins/torch_file/byte_source.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/value.h"
#include "plugins/torch_file/zip_layout.h"

namespace ckptbridge::torch_file {

struct StorageExtent {
  std::uint64_t offset;  // in the source
  std::uint64_t size;
  bool is_used;                // by the object
  std::optional<Dtype> dtype;  // as the object says; nullopt: untyped or unused
  std::uint32_t crc32 = 0;     // as the file says; 0: it says nothing
};

struct StorageView {
  std::string storage;  // key of the one that it is a part of
  StorageExtent extent;
};

struct TorchFile {
  std::string name;  // of the source
  Values values;
  ValueId root = Values::none();
  // Every record data/<key>. None overlaps another.
  std::map<std::string, StorageExtent, std::less<>> storages;
  // Parts of storages that have keys of their own; only legacy files have such parts.
  std::map<std::string, StorageView, std::less<>> views;

  // Returns the bytes of a storage, or of a part of one, that the object uses.
  const StorageExtent& extent(const Storage& storage) const {
    const auto view = views.find(storage.key);
    return view == views.end() ? storages.at(storage.key) : view->second.extent;
  }
  // Returns the key in `storages` of the bytes that extent() returns.
  const std::string& home(const Storage& storage) const {
    const auto view = views.find(storage.key);
    return view == views.end() ? storage.key : view->second.storage;
  }
};

// Returns true if the first bytes are those of a zip or of a legacy file; kTorchFileHead bytes are
// enough.
bool starts_as_torch_file(std::span<const std::byte> head);
inline constexpr std::size_t kTorchFileHead = 32;

// Reads the directory and the object; of the storages, their headers only. Each storage that the
// object uses is there and has exactly its size. Throws CKB_CORRUPT or CKB_UNSUPPORTED, saying what
// the file is where it is known: TorchScript, a tar, a git-lfs pointer, cut short.
TorchFile read_torch_file(const ByteSource& source);

// The zip around a pickle, with one payload for each storage, in the given order: payload number i
// is the storage of key std::to_string(i).
ZipLayout lay_out_torch_file(Bytes pickle, std::span<const std::uint64_t> storage_sizes,
                             const ZipOptions& options = {});

}  // namespace ckptbridge::torch_file
