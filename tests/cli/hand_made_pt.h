// .pt files that were put together by hand: the pickles in them, their zips, and torch's old
// format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ckptbridge {

// Opcodes of a pickle, without those at its beginning and end.
std::string text(const std::string& value);
extern const std::string kZero;
extern const std::string kFloatStorage;  // a class

// A storage of this class, key and number of elements. more: further parts of its persistent id.
std::string storage(const std::string& type, const std::string& key = "0",
                    const std::string& count = "K\x01", const std::string& more = "");

// Offset 0, one element, stride 1: the arguments of a call that rebuilds a tensor.
extern const std::string kOneElement;

// The call of torch._utils by this name: with this storage, these arguments, and more behind those
// that say nothing.
std::string rebuilt(const std::string& storage, const std::string& arguments = kOneElement,
                    const std::string& more = "", const std::string& name = "_rebuild_tensor_v2");

// A state dict of this one tensor.
std::string state_dict_of(const std::string& tensor, const std::string& name = "w");

// A zip of stored records as torch's, but without ZIP64 records and with checksums of 0.
struct ZipRecordText {
  std::string name;
  std::string data;
};
std::string zip_of(const std::vector<ZipRecordText>& records);
// Those of a file of torch, with a pickle of these opcodes, and one float as storage 0.
std::vector<ZipRecordText> records_of_pt(const std::string& opcodes);
// Their zip.
std::string pt_of(const std::string& opcodes);

// A file in torch's old format: its object, the list of its storages, and floats of each.
struct LegacyText {
  std::string object;
  std::string keys;
  std::vector<std::uint64_t> counts;
  std::string machine = "}" + text("little_endian") + "\x88s";
  std::string magic = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";
};
std::string legacy_of(const LegacyText& file);

// A list of the keys "0", "1", …
std::string keys(const std::vector<std::string>& names);

}  // namespace ckptbridge
