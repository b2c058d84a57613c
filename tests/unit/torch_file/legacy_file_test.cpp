#include "plugins/torch_file/legacy_file.h"

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickle_stream.h"
#include "plugins/torch_file/torch_file.h"
#include "tests/unit/torch_file/byte_content.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

using namespace std::string_literals;

// Counts the bytes that are read.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(const Bytes& data) : memory_(data, "x.pt") {}
  std::uint64_t size() const override { return memory_.size(); }
  const std::string& name() const override { return memory_.name(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    count += out.size();
    memory_.read(offset, out);
  }
  mutable std::uint64_t count = 0;

 private:
  MemorySource memory_;
};

struct Opened {
  explicit Opened(Bytes bytes)
      : data(std::move(bytes)), file(read_torch_file(MemorySource(data, "x.pt"))) {}
  Tensor at(std::string_view key) const {
    return require_tensor(file.values, require(file.values, file.root, key, "x.pt"),
                          std::string(key));
  }
  // The elements from the tensor's first on, `count` of them.
  std::string bytes(const Tensor& tensor, std::uint64_t count) const {
    const std::uint64_t item = item_size(tensor.dtype);
    const std::uint64_t begin = file.extent(tensor.storage).offset + tensor.offset * item;
    return hex(std::span(data).subspan(begin, count * item));
  }

  Bytes data;
  TorchFile file;
};

std::string error(const Bytes& data, ckb_status code = CKB_CORRUPT) {
  return error_of([&] { read_torch_file(MemorySource(data, "x.pt")); }, code);
}

// The golden file with the first `from` replaced.
Bytes edited(const std::string& from, const std::string& to) {
  std::string text = golden_text("legacy_views.pt");
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return to_bytes(text.replace(at, from.size(), to));
}

TEST(LegacyFile, HoldsWhatTheZipHolds) {
  const Opened legacy(golden("legacy.pt"));
  const Opened zip(golden("tensors.pt"));
  int compared = 0;
  for (const Item& item : items_of(zip.file.values, zip.file.root)) {
    const std::string key(*zip.file.values.as_string(item.key));
    if (key == "float8" || key == "uint16") continue;
    const Tensor expected = zip.at(key);
    const Tensor found = legacy.at(key);
    EXPECT_EQ(found.dtype, expected.dtype) << key;
    EXPECT_EQ(found.shape, expected.shape) << key;
    EXPECT_EQ(found.strides, expected.strides) << key;
    EXPECT_EQ(found.offset, expected.offset) << key;
    EXPECT_EQ(found.is_parameter, expected.is_parameter) << key;
    const std::uint64_t rest = expected.storage.count - expected.offset;
    EXPECT_EQ(legacy.bytes(found, rest), zip.bytes(expected, rest)) << key;
    ++compared;
  }
  EXPECT_EQ(compared, 17);
  EXPECT_EQ(legacy.at("tied_a").storage.key, legacy.at("tied_view").storage.key);
}

TEST(LegacyFile, HoldsTensorsFromBeforeTorch04) {
  const Opened legacy(golden("legacy.pt"));
  const Tensor old = legacy.at("old");
  EXPECT_EQ(old.shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(old.strides, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(legacy.bytes(old, 2), "000000000000803f");
  const Bytes zip = golden("old_tensor.pt");
  const TorchFile file = read_torch_file(MemorySource(zip, "x.pt"));
  EXPECT_EQ(require_tensor(file.values, file.root, "x.pt").offset, 2U);
}

TEST(LegacyFile, NamesModulesByTheirClass) {
  const Opened legacy(golden("legacy.pt"));
  const Values& values = legacy.file.values;
  const ValueId module = require(values, legacy.file.root, "module", "x.pt");
  EXPECT_EQ(class_name(values, module), "torch.nn.modules.linear.Identity");
  EXPECT_EQ(byte_content(values, require(values, legacy.file.root, "bytes_io", "x.pt")),
            to_bytes("extra"));
}

TEST(LegacyFile, IsKnownInEveryProtocolOfPickle) {
  const Bytes data = golden("legacy.4.pt");
  const TorchFile file = read_torch_file(MemorySource(data, "x.pt"));
  const Tensor tensor = require_tensor(file.values, file.root, "x.pt");
  EXPECT_EQ(tensor.shape, std::vector<std::int64_t>{4});
  const StorageExtent& extent = file.extent(tensor.storage);
  EXPECT_EQ(extent.offset + extent.size, data.size());
  EXPECT_TRUE(starts_as_legacy(to_bytes("L119547037146038801333356L\n.")));
  EXPECT_FALSE(starts_as_legacy(to_bytes("\x80\x04N.")));
}

TEST(LegacyFile, CutsViewsFromTheirStorages) {
  const Opened views(golden("legacy_views.pt"));
  // 4 and 5, then 102 and 103.
  EXPECT_EQ(views.bytes(views.at("view"), 2), "000080400000a040");
  EXPECT_EQ(views.bytes(views.at("only_a_view"), 2), "0000cc420000ce42");
  EXPECT_EQ(views.at("view").storage.key, views.at("view_again").storage.key);
  EXPECT_EQ(views.file.home(views.at("view").storage), "100");
  EXPECT_EQ(views.file.home(views.at("whole").storage), "100");
  EXPECT_EQ(views.file.storages.size(), 2U);
  EXPECT_EQ(views.file.storages.at("200").size, 16U);
}

TEST(LegacyFile, KeepsViewsInsideTheirStorages) {
  // ('101', 3, 4) of 8 elements
  EXPECT_EQ(error(edited("K\x03K\x04", "K\x05K\x04")),
            "x.pt: the view of storage '100' has 4 elements from 5 on, the storage has 8");
  EXPECT_EQ(error(edited("K\x03K\x04", "K\x03N")),
            "x.pt: the view of storage '100': its size: found None, expected an int");
  EXPECT_NE(error(edited("\x08X\x03\0\0\0"
                         "101q\x0eK\x03K\x04\x87"s,
                         "\x08X\x03\0\0\0"
                         "101q\x0eK\x03\x86"s)),
            "");
  EXPECT_EQ(error(edited("201", "101")),
            "x.pt: the view of storage '200' with the key '101' is not always the same");
  EXPECT_EQ(error(edited("201", "100")),
            "x.pt: storage '100' is said to have 8 and 2 elements, or two types");
}

TEST(LegacyFile, RefusesBigEndianAndOtherProtocols) {
  EXPECT_EQ(error(edited("little_endianq\x02\x88", "little_endianq\x02\x89"), CKB_UNSUPPORTED),
            "x.pt: it was written on a big-endian machine, which is not read");
  EXPECT_NE(error(edited("little_endianq\x02\x88", "little_endianq\x02N")), "");
  EXPECT_EQ(error(edited("M\xe9\x03.", "M\xea\x03."), CKB_UNSUPPORTED),
            "x.pt: its protocol is int 1002, known is 1001");
  EXPECT_NE(error(edited("\x8a\x0a\x6c", "\x8a\x0a\x6d")), "");
}

TEST(LegacyFile, NamesStoragesThatDoNotFit) {
  // The rest of the count 8, the elements 0 and 1.
  const std::string first = std::string(13, '\0') + "\x80\x3f";
  EXPECT_EQ(error(edited("\x08" + first, "\x07" + first)),
            "x.pt: storage '100' has 7 elements at byte 476, its tensors need 8");
  EXPECT_EQ(error(edited("200q\x02", "300q\x02")),
            "x.pt: it holds storage '300', which its object does not name");
  EXPECT_EQ(error(edited("X\x03\0\0\0"
                         "200q\x02"
                         "e."s,
                         "e.")),
            "x.pt: storage '200' is missing: the list of storages does not have it");
  Bytes cut = golden("legacy_views.pt");
  cut.resize(cut.size() - 1);
  EXPECT_EQ(error(cut),
            "x.pt: storage '200' needs 16 bytes from byte 524 on, the file has 539; it is cut "
            "short");
}

TEST(LegacyFile, ReadsNoPayload) {
  // Storage 200 has 4 Mi elements, in the object and before its bytes.
  std::string text = golden_text("legacy_views.pt");
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
  };
  replace(
      "K\x04X\x03\0\0\0"
      "201"s,
      "J\0\0\x40\0X\x03\0\0\0"
      "201"s);
  replace("\x04\0\0\0\0\0\0\0\0\0\xc8\x42"s, "\0\0\x40\0\0\0\0\0\0\0\xc8\x42"s);
  Bytes data = to_bytes(text);
  data.resize(data.size() + (std::size_t{16} << 20) - 16);
  const CountingSource source(data);
  const TorchFile file = read_torch_file(source);
  EXPECT_EQ(file.storages.at("200").size, 16U << 20);
  EXPECT_LT(source.count, 32U << 10);
}

TEST(PickleStream, EndsAtTheStopOfItsPickle) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    const Bytes whole = golden("plain." + std::to_string(protocol) + ".pkl");
    Bytes data = to_bytes("before");
    data.insert(data.end(), whole.begin(), whole.end());
    data.resize(data.size() + (1U << 20));
    const CountingSource source(data);
    EXPECT_EQ(read_pickle(source, 6, 1U << 30, "p"), whole) << protocol;
    EXPECT_LE(source.count, 2 * whole.size() + 4096);
  }
}

TEST(PickleStream, IsBoundedByTheFileAndByTheLimit) {
  const auto failure = [](const std::string& text, ckb_status code = CKB_CORRUPT) {
    const Bytes data = to_bytes(text);
    return error_of([&] { read_pickle(MemorySource(data, "x.pt"), 0, 100, "p"); }, code);
  };
  EXPECT_EQ(failure("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"),
            "x.pt: p at byte 0: it does not end before the file does, at byte 9; the file is cut "
            "short or damaged");
  EXPECT_NE(failure(""), "");
  EXPECT_EQ(failure("N\xff"), "x.pt: p at byte 0: there is no opcode 255 (byte 1 of it)");
  EXPECT_EQ(failure(std::string(200, 'N'), CKB_UNSUPPORTED),
            "x.pt: p at byte 0: it has more than 100 bytes");
}

}  // namespace
}  // namespace ckptbridge::torch_file
