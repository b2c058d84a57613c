#include "plugins/torch_file/zip_reader.h"

#include "plugins/torch_file/zip_format.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

struct Entry {
  std::string name = "archive/data.pkl";
  std::string data = "N.";
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::string local_name = {};  // name when empty
  std::string central_extra = {};
  std::uint32_t size_field = 0;    // data's size when 0
  std::uint32_t offset_field = 0;  // the real one when 0
};

struct Zip {
  std::vector<Entry> entries;
  std::string after_data = {};  // "data descriptors"
  std::string comment = {};
  std::uint16_t extra_entries = 0;
};

// A classic zip, as Python's zipfile writes it: no ZIP64, no padding.
Bytes packed(const Zip& zip) {
  Bytes out;
  Bytes central;
  const auto text = [](Bytes& to, std::string_view from) {
    const Bytes bytes = to_bytes(from);
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  for (const Entry& entry : zip.entries) {
    const auto offset = static_cast<std::uint32_t>(out.size());
    const auto size = static_cast<std::uint32_t>(entry.data.size());
    const std::string& local_name = entry.local_name.empty() ? entry.name : entry.local_name;
    append(out, kLocalSignature);
    append<std::uint16_t>(out, 20);
    append(out, entry.flags);
    append(out, entry.method);
    append<std::uint32_t>(out, 0);
    append(out, crc32(to_bytes(entry.data)));
    append(out, std::uint64_t{0});  // sizes: not to be looked at
    append(out, static_cast<std::uint16_t>(local_name.size()));
    append<std::uint16_t>(out, 0);
    text(out, local_name);
    text(out, entry.data);
    text(out, zip.after_data);

    append(central, kCentralSignature);
    append<std::uint32_t>(central, 0);
    append(central, entry.flags);
    append(central, entry.method);
    append<std::uint32_t>(central, 0);
    append(central, crc32(to_bytes(entry.data)));
    append(central, entry.size_field == 0 ? size : entry.size_field);
    append(central, entry.size_field == 0 ? size : entry.size_field);
    append(central, static_cast<std::uint16_t>(entry.name.size()));
    append(central, static_cast<std::uint16_t>(entry.central_extra.size()));
    append<std::uint64_t>(central, 0);
    append<std::uint16_t>(central, 0);
    append(central, entry.offset_field == 0 ? offset : entry.offset_field);
    text(central, entry.name);
    text(central, entry.central_extra);
  }
  const auto directory_offset = static_cast<std::uint32_t>(out.size());
  out.insert(out.end(), central.begin(), central.end());
  const auto count = static_cast<std::uint16_t>(zip.entries.size() + zip.extra_entries);
  append(out, kEndSignature);
  append<std::uint32_t>(out, 0);
  append(out, count);
  append(out, count);
  append(out, static_cast<std::uint32_t>(central.size()));
  append(out, directory_offset);
  append(out, static_cast<std::uint16_t>(zip.comment.size()));
  text(out, zip.comment);
  return out;
}

ZipDirectory read(const Bytes& file) { return read_zip_directory(MemorySource(file, "x.pt")); }

std::string error(const Zip& zip, ckb_status code = CKB_CORRUPT) {
  return error_of([&] { read(packed(zip)); }, code);
}

TEST(ZipReader, ReadsWhatTorchWrites) {
  const Bytes file = golden("tiny_tensor.pt");
  const ZipDirectory directory = read(file);
  EXPECT_EQ(directory.folder, "tiny_tensor");
  ASSERT_EQ(directory.records.size(), 7U);
  EXPECT_EQ(directory.records[0].name, "data.pkl");
  const ZipRecord* data = directory.find("data/0");
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->size, 16U);
  EXPECT_EQ(data->offset % 64, 0U);
  EXPECT_EQ(data->crc32, crc32(std::span(file).subspan(data->offset, 16)));
  EXPECT_EQ(directory.find("data/1"), nullptr);
}

TEST(ZipReader, ReadsClassicZipsAndDataDescriptors) {
  const Zip zip{{{}, {.name = "archive/version", .data = "3\n"}}, std::string(16, 'd')};
  const ZipDirectory directory = read(packed(zip));
  ASSERT_EQ(directory.records.size(), 2U);
  EXPECT_EQ(directory.records[1].name, "version");
  EXPECT_EQ(directory.records[1].size, 2U);
}

TEST(ZipReader, LooksIntoTheFolderOfTheFirstEntryOnly) {
  const Zip zip{{{.name = "archive/", .data = ""},
                 {},
                 {.name = "__MACOSX/data.pkl"},
                 {.name = "archive/data/0"},
                 {.name = "readme"}}};
  const ZipDirectory directory = read(packed(zip));
  ASSERT_EQ(directory.records.size(), 2U);
  EXPECT_EQ(directory.records[0].name, "data.pkl");
  EXPECT_EQ(directory.records[1].name, "data/0");
}

TEST(ZipReader, LooksBehindCommentsAndTrailingBytes) {
  EXPECT_EQ(read(packed({{Entry{}}, "", std::string(65535, 'c')})).records.size(), 1U);
  Bytes file = packed({{Entry{}}});
  file.resize(file.size() + 60'000);
  EXPECT_EQ(read(file).records.size(), 1U);
  file.resize(file.size() + 10'000);
  EXPECT_EQ(
      error_of([&] { read(file); }),
      "x.pt: there is no zip directory at its end; the file is cut short or was changed after "
      "it was written");
}

TEST(ZipReader, OffsetsAreRelativeToTheWindow) {
  const Bytes item = golden("tiny_tensor.pt");
  Bytes file(1000, std::byte{'P'});
  file.insert(file.end(), item.begin(), item.end());
  file.resize(file.size() + 77);
  const MemorySource whole(file, "__0_0.distcp");
  const WindowSource window(whole, 1000, item.size(), "__0_0.distcp: item w");
  const ZipDirectory directory = read_zip_directory(window);
  EXPECT_EQ(directory.find("data/0")->offset, read(item).find("data/0")->offset);
  EXPECT_EQ(error_of([&] { WindowSource(whole, 1000, file.size(), "item w"); }),
            "item w: bytes 1000 to 1000 + 2682 are beyond the end of __0_0.distcp, which has 2682");
  EXPECT_NE(error_of([&] { WindowSource(whole, ~std::uint64_t{0}, 2, "item w"); }), "");
}

TEST(ZipReader, RefusesCompressedAndEncryptedRecords) {
  EXPECT_EQ(
      error({{{.method = 8}}}, CKB_UNSUPPORTED),
      "x.pt: record archive/data.pkl is compressed (method 8); torch.save never does that, so "
      "pack it again without compression");
  EXPECT_EQ(error({{{.flags = 1}}}, CKB_UNSUPPORTED), "x.pt: record archive/data.pkl is encrypted");
}

TEST(ZipReader, RefusesTwoRecordsOfOneName) {
  EXPECT_EQ(error({{{}, {}}}), "x.pt: there are two records named data.pkl");
}

TEST(ZipReader, RefusesRecordsOutsideOfTheFile) {
  EXPECT_EQ(error({{{.size_field = 1000}}}),
            "x.pt: record archive/data.pkl has 1000 bytes at byte 46, beyond the start of the "
            "directory at byte 48");
  EXPECT_NE(error({{{.offset_field = 0x7FFFFFFF}}}), "");
  EXPECT_NE(error({{{.offset_field = 1}}}), "");
  EXPECT_EQ(error({{{.size_field = kSaturated32}}}),
            "x.pt: record archive/data.pkl lacks its 64-bit sizes");
  // Both sizes are 2^64 - 1.
  EXPECT_NE(error({{{.central_extra = std::string("\1\0\x10\0", 4) + std::string(16, '\xff'),
                     .size_field = kSaturated32}}}),
            "");
}

TEST(ZipReader, RefusesOverlappingRecords) {
  // The first one's 60 bytes are said to be 110: into the second one's data, behind its header.
  const std::string data(60, 'x');
  EXPECT_EQ(error({{{.data = data, .size_field = 110}, {.name = "archive/second", .data = data}}}),
            "x.pt: records data.pkl and second overlap");
}

TEST(ZipReader, RefusesHeadersOfAnotherName) {
  EXPECT_EQ(error({{{.local_name = "archive/data.pk1"}}}),
            "x.pt: record archive/data.pkl has another name in its header at byte 0");
}

// The length of the padding says where the data begin: one bit, and a tensor is another.
TEST(ZipReader, RefusesPaddingWhoseLengthWasChanged) {
  Bytes file = golden("tiny_sd.pt");
  constexpr std::size_t kPaddingLength = 854 + 28;  // of data/0
  file[kPaddingLength] ^= std::byte{4};
  EXPECT_EQ(error_of([&] { read(file); }),
            "x.pt: record tiny_sd/data/0 has a header whose fields do not fill it");
}

TEST(ZipReader, RefusesCountsThatTheDirectoryCannotHold) {
  EXPECT_EQ(error({{{}}, "", "", 60'000}),
            "x.pt: its directory of 62 bytes cannot hold 60001 entries");
  EXPECT_NE(error({{{}, {.name = "archive/x"}}, "", "", static_cast<std::uint16_t>(-1)}), "");
}

TEST(ZipReader, RefusesRecordsWithoutAFolder) {
  EXPECT_EQ(error({{{.name = "data.pkl"}}}),
            "x.pt: its first record, data.pkl, is not in a folder, as all records of a .pt are");
  EXPECT_NE(error({{{.name = "/data.pkl"}}}), "");
}

TEST(ZipReader, RefusesEndRecordsThatDisagree) {
  Bytes file = golden("tiny_tensor.pt");
  file[file.size() - 22 + 10] = std::byte{6};
  EXPECT_EQ(error_of([&] { read(file); }),
            "x.pt: its two end records disagree about the entries: 6 and 7");
}

}  // namespace
}  // namespace ckptbridge::torch_file
