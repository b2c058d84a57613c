#include "plugins/torch_file/torch_file.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/crc32.h"
#include "plugins/torch_file/legacy_file.h"
#include "plugins/torch_file/unpickler.h"
#include "plugins/torch_file/zip_reader.h"

namespace ckptbridge::torch_file {
namespace {

// The object describes the tensors; it does not hold them. Pickled lists of numbers can be long.
constexpr std::uint64_t kMaxPickleSize = std::uint64_t{1} << 30;
// torch 2.13 reads 1 to 10 (caffe2/serialize/versions.h); all releases so far write 3.
constexpr int kLowestVersion = 1;
constexpr int kHighestVersion = 10;
constexpr std::string_view kDataPrefix = "data/";

[[noreturn]] void corrupt(const ByteSource& source, const std::string& message) {
  throw Error(CKB_CORRUPT, source.name() + ": " + message);
}

[[noreturn]] void unsupported(const ByteSource& source, const std::string& message) {
  throw Error(CKB_UNSUPPORTED, source.name() + ": " + message);
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Says what a file is that is no zip, where its first bytes tell.
[[noreturn]] void explain_no_zip(const ByteSource& source) {
  using std::string_view_literals::operator""sv;
  if (source.size() == 0) corrupt(source, "the file is empty");
  const Bytes bytes =
      read_range(source, 0, std::min<std::uint64_t>(source.size(), 512), "the file");
  const std::string_view head = as_text(bytes);
  if (head.starts_with("version https://git-lfs")) {
    corrupt(source, "this is a git-lfs pointer, not the file itself; fetch it with `git lfs pull`");
  }
  if (head.size() > 262 && head.substr(257, 5) == "ustar") {
    unsupported(source, "this is a tar archive, torch's format of 0.1, which is not read");
  }
  if (head.starts_with("\x80"sv)) {
    unsupported(source, "this is a bare pickle, not a file that torch.save wrote");
  }
  if (head.size() > 8 && head[8] == '{') {
    unsupported(source, "this looks like a safetensors file, not a file that torch.save wrote");
  }
  if (std::ranges::all_of(head, [](char c) { return c == '\0'; })) {
    corrupt(source, "the file begins with zeros; it was not written to its end");
  }
  corrupt(source, "this is not a file that torch.save wrote: it does not begin as a zip does");
}

Bytes read_record(const ByteSource& source, const ZipRecord& record) {
  Bytes bytes = read_range(source, record.offset, record.size, "record " + record.name);
  // torch can be told not to compute sums, and writes 0 then.
  if (record.crc32 != 0 && crc32(bytes) != record.crc32) {
    corrupt(source,
            "record " + record.name + " was changed after it was written: its CRC-32 differs");
  }
  return bytes;
}

// A small record of text; nullopt when it is not there.
std::optional<std::string> read_text_record(const ByteSource& source, const ZipDirectory& directory,
                                            std::string_view name) {
  const ZipRecord* record = directory.find(name);
  if (record == nullptr) return std::nullopt;
  if (record->size > 64) {
    corrupt(source, "record " + record->name + " has " + std::to_string(record->size) +
                        " bytes, expected a word");
  }
  return std::string(as_text(read_record(source, *record)));
}

void require_version(const ByteSource& source, const ZipDirectory& directory) {
  auto text = read_text_record(source, directory, "version");
  if (!text) text = read_text_record(source, directory, ".data/version");
  if (!text)
    corrupt(source, "there is no record version; this is not a file that torch.save wrote");
  int version = 0;
  std::from_chars(text->data(), text->data() + text->size(), version);
  if (version < kLowestVersion || version > kHighestVersion) {
    unsupported(source, "its format has version " + std::to_string(version) + ", known are " +
                            std::to_string(kLowestVersion) + " to " +
                            std::to_string(kHighestVersion));
  }
}

void require_little_endian(const ByteSource& source, const ZipDirectory& directory) {
  const auto order = read_text_record(source, directory, "byteorder");
  if (!order || *order == "little") return;
  if (*order == "big") {
    unsupported(source, "it was written on a big-endian machine, which is not read");
  }
  corrupt(source, "record byteorder says '" + *order + "', expected little or big");
}

// Notes that the object uses storage, and checks that it is there.
void use(const ByteSource& source, TorchFile& file, const Storage& storage) {
  const auto found = file.storages.find(storage.key);
  if (found == file.storages.end()) {
    corrupt(source,
            "storage '" + storage.key + "' is missing: there is no record data/" + storage.key);
  }
  StorageExtent& extent = found->second;
  if (extent.size != storage.size) {
    corrupt(source, "storage '" + storage.key + "' has " + std::to_string(extent.size) +
                        " bytes, its tensors need " + std::to_string(storage.size));
  }
  extent.is_used = true;
  extent.dtype = storage.dtype;
}

}  // namespace

bool starts_as_torch_file(std::span<const std::byte> head) {
  return as_text(head).starts_with("PK\3\4") || starts_as_legacy(head);
}

TorchFile read_torch_file(const ByteSource& source) {
  if (!starts_as_zip(source)) {
    const std::uint64_t size = std::min<std::uint64_t>(source.size(), kLegacyHead);
    if (starts_as_legacy(read_range(source, 0, size, "the first bytes"))) {
      return read_legacy_file(source);
    }
    explain_no_zip(source);
  }
  const ZipDirectory directory = read_zip_directory(source);
  if (directory.find("constants.pkl") != nullptr) {
    unsupported(source, "this is a TorchScript program, not a checkpoint");
  }
  const ZipRecord* record = directory.find("data.pkl");
  if (record == nullptr) {
    corrupt(source, "there is no record data.pkl; this is not a file that torch.save wrote");
  }
  require_version(source, directory);
  require_little_endian(source, directory);
  if (record->size > kMaxPickleSize) {
    unsupported(source, "record data.pkl has " + std::to_string(record->size) +
                            " bytes, more than " + std::to_string(kMaxPickleSize));
  }

  TorchFile file;
  file.name = source.name();
  for (const ZipRecord& entry : directory.records) {
    if (!entry.name.starts_with(kDataPrefix)) continue;
    file.storages.emplace(
        entry.name.substr(kDataPrefix.size()),
        StorageExtent{entry.offset, entry.size, false, std::nullopt, entry.crc32});
  }
  const std::string where = source.name() + ": data.pkl";
  file.root = unpickle(file.values, read_record(source, *record), where).root;
  for (const Storage& storage : storages_of(file.values, file.root, where)) {
    use(source, file, storage);
  }
  return file;
}

ZipLayout lay_out_torch_file(Bytes pickle, std::span<const std::uint64_t> storage_sizes,
                             const ZipOptions& options) {
  const auto bytes_of = [](std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return Bytes(bytes.begin(), bytes.end());
  };
  std::vector<NewRecord> records;
  records.reserve(storage_sizes.size() + 3);
  records.push_back(NewRecord::literal("data.pkl", std::move(pickle)));
  records.push_back(NewRecord::literal("byteorder", bytes_of("little")));
  for (std::size_t i = 0; i < storage_sizes.size(); ++i) {
    records.push_back(NewRecord::payload("data/" + std::to_string(i), storage_sizes[i]));
  }
  records.push_back(NewRecord::literal("version", bytes_of("3\n")));
  return lay_out_zip(records, options);
}

}  // namespace ckptbridge::torch_file
