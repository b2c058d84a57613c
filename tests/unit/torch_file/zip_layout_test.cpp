#include "plugins/torch_file/zip_layout.h"

#include <algorithm>

#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::uint64_t kFourGiB = std::uint64_t{1} << 32;

// Sparse memory: the literals of a layout, zeros elsewhere.
class LayoutSource final : public ByteSource {
 public:
  explicit LayoutSource(ZipLayout layout) : layout_(std::move(layout)) {}
  std::uint64_t size() const override { return layout_.size; }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
    for (const auto& literal : layout_.literals) {
      const std::uint64_t begin = std::max(offset, literal.offset);
      const std::uint64_t end =
          std::min(offset + out.size(), literal.offset + literal.bytes.size());
      for (std::uint64_t i = begin; i < end; ++i)
        out[i - offset] = literal.bytes[i - literal.offset];
    }
  }

 private:
  ZipLayout layout_;
  std::string name_ = "layout";
};

TEST(ZipLayout, IsTheGoldenFileWithAZip64EndRecord) {
  const Bytes expected = golden("ours_minimal_tensor.pt");
  const Bytes pickle(expected.begin() + 0x40, expected.begin() + 0xbe);
  const Bytes data(expected.begin() + 0x140, expected.begin() + 0x150);
  const std::uint64_t sizes[] = {16};
  const Bytes file = filled(lay_out_torch_file(pickle, sizes), {data});
  ASSERT_EQ(file.size(), expected.size() + 76);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end() - 22, file.begin()));
  EXPECT_TRUE(std::equal(expected.end() - 22, expected.end(), file.end() - 22));
}

TEST(ZipLayout, AlignsDataAndIsReadBack) {
  for (const std::uint32_t alignment : {4U, 64U, 4096U, 32768U}) {
    const std::vector<NewRecord> records = {
        NewRecord::literal("data.pkl", to_bytes("N.")), NewRecord::payload("data/0", 5),
        NewRecord::payload("data/1", 0), NewRecord::payload("data/2", 7)};
    const ZipLayout layout = lay_out_zip(records, {alignment});
    const Bytes file = filled(layout, {to_bytes("first"), {}, to_bytes("seventh")});
    const ZipDirectory directory = read_zip_directory(MemorySource(file, "x.pt"));
    EXPECT_EQ(directory.folder, "archive");
    ASSERT_EQ(directory.records.size(), 4U);
    for (const ZipRecord& record : directory.records) {
      EXPECT_EQ(record.offset % alignment, 0U);
      EXPECT_EQ(record.crc32, crc32(std::span(file).subspan(record.offset, record.size)));
    }
    const ZipRecord& last = directory.records[3];
    EXPECT_EQ(Bytes(file.begin() + static_cast<std::ptrdiff_t>(last.offset),
                    file.begin() + static_cast<std::ptrdiff_t>(last.offset + last.size)),
              to_bytes("seventh"));
  }
}

TEST(ZipLayout, HasEachCrcRangeTwiceAndNoneEmpty) {
  const std::uint64_t sizes[] = {10, 0, 20};
  const ZipLayout layout = lay_out_torch_file(to_bytes("N."), sizes);
  ASSERT_EQ(layout.crcs.size(), 4U);
  EXPECT_EQ(layout.crcs[0].from, layout.crcs[2].from);
  EXPECT_EQ(layout.crcs[1].size, 20U);
  EXPECT_EQ(layout.crcs[3].size, 20U);
  EXPECT_EQ(layout.payloads[1].size, 0U);
}

TEST(ZipLayout, HoldsRecordsAndOffsetsBeyond4GiB) {
  const std::uint64_t sizes[] = {kFourGiB + 5, kFourGiB - 1, kFourGiB - 2, 3, 9 * kFourGiB};
  const ZipLayout layout = lay_out_torch_file(to_bytes("N."), sizes);
  const ZipDirectory directory = read_zip_directory(LayoutSource(layout));
  ASSERT_EQ(directory.records.size(), 8U);
  for (std::size_t i = 0; i < 5; ++i) {
    const ZipRecord* record = directory.find("data/" + std::to_string(i));
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->size, sizes[i]);
    EXPECT_EQ(record->offset, layout.payloads[i].offset);
    EXPECT_EQ(record->offset % 64, 0U);
  }
  EXPECT_GT(layout.size, 12 * kFourGiB);
  EXPECT_GT(directory.find("version")->offset, 12 * kFourGiB);
}

TEST(ZipLayout, SpellsBigRecordsAsTheZipStandardSays) {
  const std::uint64_t sizes[] = {kFourGiB + 5};
  const ZipLayout layout = lay_out_torch_file(to_bytes("N."), sizes);
  // After the CRC of the local header: sizes, name size, extra size, name, ZIP64 field.
  const auto& local =
      *std::ranges::find(layout.literals, layout.crcs[0].offset + 4, &ZipLayout::Literal::offset);
  EXPECT_EQ(hex(std::span(local.bytes).first(12)).substr(0, 20), "ffffffffffffffff0e00");
  EXPECT_EQ(hex(std::span(local.bytes).subspan(12 + 14, 20)),
            "01001000"
            "0500000001000000"
            "0500000001000000");
  const auto& central =
      *std::ranges::find(layout.literals, layout.crcs[1].offset + 4, &ZipLayout::Literal::offset);
  EXPECT_EQ(hex(std::span(central.bytes).first(12)), "ffffffffffffffff0e001400");
}

TEST(ZipLayout, HoldsMoreRecordsThanTheClassicEndRecordCanCount) {
  const std::vector<std::uint64_t> sizes(70'000, 1);
  const ZipLayout layout = lay_out_torch_file(to_bytes("N."), sizes);
  Bytes file(layout.size);
  for (const auto& literal : layout.literals) {
    std::ranges::copy(literal.bytes, file.begin() + static_cast<std::ptrdiff_t>(literal.offset));
  }
  EXPECT_EQ(read_zip_directory(MemorySource(file, "x.pt")).records.size(), 70'003U);
}

TEST(ZipLayout, IsRefusedWhereAZipCannotBe) {
  const auto error = [](const std::vector<NewRecord>& records, std::uint32_t alignment,
                        ckb_status code) {
    return error_of([&] { lay_out_zip(records, {alignment}); }, code);
  };
  EXPECT_NE(error({}, 48, CKB_INVALID_ARGUMENT), "");
  EXPECT_NE(error({}, 65536, CKB_INVALID_ARGUMENT), "");
  EXPECT_NE(error({NewRecord::payload("", 1)}, 64, CKB_INVALID_ARGUMENT), "");
  EXPECT_NE(
      error({NewRecord::payload("a", 1), NewRecord::payload("a", 1)}, 64, CKB_INVALID_ARGUMENT),
      "");
  EXPECT_NE(error({NewRecord::payload("a", ~std::uint64_t{0})}, 64, CKB_UNSUPPORTED), "");
  EXPECT_NE(error({NewRecord::payload("a", std::uint64_t{1} << 62),
                   NewRecord::payload("b", std::uint64_t{1} << 62)},
                  64, CKB_UNSUPPORTED),
            "");
}

}  // namespace
}  // namespace ckptbridge::torch_file
