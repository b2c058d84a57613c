#include "plugins/torch_file/torch_file.h"

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

TorchFile read(const Bytes& data) { return read_torch_file(MemorySource(data, "x.pt")); }

std::string error(const Bytes& data, ckb_status code = CKB_CORRUPT) {
  return error_of([&] { read(data); }, code);
}

Bytes packed(std::vector<NewRecord> records) { return filled(lay_out_zip(records), {}); }

// A .pt of one float32 tensor of 4 elements, with more records or other ones.
std::vector<NewRecord> records(std::size_t storage_size = 16) {
  Values values;
  return {NewRecord::literal("data.pkl", pickle(values, make_tensor(values, "0", kFloat32, {4}))),
          NewRecord::literal("data/0", Bytes(storage_size)),
          NewRecord::literal("version", to_bytes("3\n"))};
}

Bytes with(NewRecord record) {
  auto all = records();
  std::erase_if(all, [&](const NewRecord& other) { return other.name == record.name; });
  all.push_back(std::move(record));
  return packed(std::move(all));
}

TEST(TorchFile, GivesTheObjectAndItsStorages) {
  const Bytes data = golden("tiny_sd.pt");
  const TorchFile file = read(data);
  EXPECT_EQ(file.name, "x.pt");
  ASSERT_EQ(file.storages.size(), 3U);
  const Tensor row =
      require_tensor(file.values, require(file.values, file.root, "row1", "x.pt"), "x.pt: row1");
  EXPECT_EQ(row.dtype, kBFloat16);
  EXPECT_EQ(row.offset, 3U);
  const StorageExtent& extent = file.extent(row.storage);
  EXPECT_EQ(extent.size, 12U);
  EXPECT_TRUE(extent.is_used);
  EXPECT_EQ(extent.dtype, kBFloat16);
  // 3, 4, 5 in bfloat16.
  EXPECT_EQ(hex(std::span(data).subspan(extent.offset + row.offset * 2, 6)), "40408040a040");
}

TEST(TorchFile, ReadsWhatIsWrittenHere) {
  Values values;
  const ValueId dict = values.dict();
  values.set_item(dict, values.string("a"), make_tensor(values, "0", kFloat32, {2, 3}));
  values.set_item(dict, values.string("b"), make_tensor(values, "1", kBFloat16, {}));
  values.set_item(dict, values.string("c"), make_tensor(values, "2", kFloat8E5M2, {0}));
  const std::uint64_t sizes[] = {24, 2, 0};
  const Bytes data = filled(lay_out_torch_file(pickle(values, dict), sizes),
                            {Bytes(24, std::byte{1}), Bytes(2, std::byte{2}), {}});
  const TorchFile file = read(data);
  const Tensor a =
      require_tensor(file.values, require(file.values, file.root, "a", "x.pt"), "x.pt: a");
  EXPECT_EQ(a.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(data[file.extent(a.storage).offset], std::byte{1});
  EXPECT_EQ(canonical(file.values, file.root), canonical(values, dict));
}

TEST(TorchFile, TakesRecordsInAnyOrderAndKeysThatAreNoNumbers) {
  Values values;
  const ValueId tensor = make_tensor(values, "layers/a b", kFloat32, {4});
  const Bytes data = packed({NewRecord::literal("version", to_bytes("3\n")),
                             NewRecord::literal("data/layers/a b", Bytes(16, std::byte{7})),
                             NewRecord::literal("data.pkl", pickle(values, tensor))});
  const TorchFile file = read(data);
  const StorageExtent& extent = file.extent(require_tensor(file.values, file.root, "x.pt").storage);
  EXPECT_TRUE(extent.is_used);
  EXPECT_EQ(extent.size, 16U);
  EXPECT_EQ(data[extent.offset], std::byte{7});
}

TEST(TorchFile, ListsStoragesThatTheObjectDoesNotUse) {
  const TorchFile file = read(with(NewRecord::literal("data/spare", Bytes(3))));
  EXPECT_TRUE(file.storages.at("0").is_used);
  EXPECT_FALSE(file.storages.at("spare").is_used);
  EXPECT_EQ(file.storages.at("spare").size, 3U);
}

TEST(TorchFile, NamesStoragesOfTheWrongSize) {
  EXPECT_EQ(error(packed(records(15))), "x.pt: storage '0' has 15 bytes, its tensors need 16");
  EXPECT_EQ(error(packed(records(17))), "x.pt: storage '0' has 17 bytes, its tensors need 16");
  auto all = records();
  all[1].name = "data/1";
  EXPECT_EQ(error(packed(all)), "x.pt: storage '0' is missing: there is no record data/0");
}

TEST(TorchFile, KnowsVersionsAndByteOrders) {
  EXPECT_EQ(error(with(NewRecord::literal("version", to_bytes("10")))), "");
  EXPECT_EQ(error(with(NewRecord::literal("version", to_bytes("11\n"))), CKB_UNSUPPORTED),
            "x.pt: its format has version 11, known are 1 to 10");
  EXPECT_NE(error(with(NewRecord::literal("version", to_bytes("x"))), CKB_UNSUPPORTED), "");
  EXPECT_NE(error(with(NewRecord::literal("version", Bytes(100)))), "");
  EXPECT_EQ(error(with(NewRecord::literal("byteorder", to_bytes("little")))), "");
  EXPECT_EQ(error(with(NewRecord::literal("byteorder", to_bytes("big"))), CKB_UNSUPPORTED),
            "x.pt: it was written on a big-endian machine, which is not read");
  EXPECT_NE(error(with(NewRecord::literal("byteorder", to_bytes("")))), "");
  auto all = records();
  all.pop_back();
  EXPECT_NE(error(packed(all)), "");
  all.push_back(NewRecord::literal(".data/version", to_bytes("3\n")));
  EXPECT_EQ(error(packed(all)), "");
}

TEST(TorchFile, RefusesTorchScript) {
  EXPECT_EQ(error(with(NewRecord::literal("constants.pkl", Bytes(1))), CKB_UNSUPPORTED),
            "x.pt: this is a TorchScript program, not a checkpoint");
}

TEST(TorchFile, SaysWhatOtherFilesAre) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(error({}), "x.pt: the file is empty");
  EXPECT_EQ(error(to_bytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")),
            "x.pt: this is a git-lfs pointer, not the file itself; fetch it with `git lfs pull`");
  EXPECT_EQ(error(to_bytes("\x80\x04N."), CKB_UNSUPPORTED),
            "x.pt: this is a bare pickle, not a file that torch.save wrote");
  EXPECT_EQ(error(to_bytes("\x20\0\0\0\0\0\0\0{\"w\":{}}"sv), CKB_UNSUPPORTED),
            "x.pt: this looks like a safetensors file, not a file that torch.save wrote");
  EXPECT_EQ(error(Bytes(1000)), "x.pt: the file begins with zeros; it was not written to its end");
  EXPECT_EQ(error(to_bytes("hello")),
            "x.pt: this is not a file that torch.save wrote: it does not begin as a zip does");
  EXPECT_NE(
      error(to_bytes(std::string(257, 'x') + "ustar" + std::string(300, 'x')), CKB_UNSUPPORTED),
      "");
}

TEST(TorchFile, SaysThatItIsCutShort) {
  Bytes data = golden("tiny_sd.pt");
  data.resize(data.size() / 2);
  EXPECT_EQ(
      error(data),
      "x.pt: there is no zip directory at its end; the file is cut short or was changed after "
      "it was written");
}

TEST(TorchFile, NoticesAChangedPickle) {
  Bytes data = golden("tiny_sd.pt");
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  data[text.find("row1")] = std::byte{'s'};
  EXPECT_EQ(error(data),
            "x.pt: record data.pkl was changed after it was written: its CRC-32 differs");
}

}  // namespace
}  // namespace ckptbridge::torch_file
