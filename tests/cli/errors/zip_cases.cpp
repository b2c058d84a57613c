// .pt files whose zip is damaged, is no zip of torch, or says what cannot be.
#include "tests/cli/errors/case.h"
#include "tests/cli/hand_made_pt.h"

namespace ckptbridge::errors {
namespace {

// The tiny model with a few bytes changed.
Case changed(const std::string& name, const std::string& from, const std::string& to) {
  return {name, [=](const Scratch& s) {
            s.copy("nemo2/input_tiny.pt", "in.pt");
            s.replace("in.pt", from, to);
            return s.convert(s.path("in.pt"), "pt");
          }};
}

Case file(const std::string& name, const std::string& bytes) {
  return {name, [=](const Scratch& s) { return s.convert(s.write("in.pt", bytes), "pt"); }};
}

std::vector<ZipRecordText> records() {
  return records_of_pt(state_dict_of(rebuilt(storage(kFloatStorage))));
}

// Without a record, or with other data in it.
std::string zip_without(const std::string& name) {
  auto left = records();
  std::erase_if(left, [&](const auto& record) { return record.name == "archive/" + name; });
  return zip_of(left);
}

std::string zip_with(const std::string& name, const std::string& data) {
  auto all = records();
  for (auto& record : all) {
    if (record.name == "archive/" + name) record.data = data;
  }
  return zip_of(all);
}

// Bytes at an offset behind the last of such signatures.
std::string patched(std::string bytes, const std::string& signature, std::size_t offset,
                    const std::string& value) {
  return bytes.replace(bytes.rfind(signature) + offset, value.size(), value);
}

Case patched_zip(const std::string& name, const std::string& signature, std::size_t offset,
                 const std::string& value) {
  return file(name, patched(zip_of(records()), signature, offset, value));
}

// In the real file, which has ZIP64 records.
Case patched_model(const std::string& name, const std::string& signature, std::size_t offset,
                   const std::string& value) {
  return {name, [=](const Scratch& s) {
            const std::string model = TempFolder::text_of(golden("nemo2/input_tiny.pt"));
            return s.convert(s.write("in.pt", patched(model, signature, offset, value)), "pt");
          }};
}

const std::string kEntry = "PK\x01\x02";
const std::string kEnd = "PK\x05\x06";
const std::string kEnd64 = "PK\x06\x06";
const std::string kLocator64 = "PK\x06\x07";

}  // namespace

std::vector<Case> zip_cases() {
  return {
      changed("a record without its header", "PK\x03\x04", "PK\x03\x05"),
      changed("an entry of the directory that is none", kEntry, "PK\x01\x03"),
      changed("an end of the zip that is none", kEnd, "PK\x05\x07"),
      changed("a record that was changed", "little", "lettle"),
      file("bytes in no order", zip_with("byteorder", "middle")),
      file("bytes in an order that takes pages to say",
           zip_with("byteorder", std::string(65, 'x'))),
      file("a zip without a version", zip_without("version")),
      patched_zip("a directory that lies behind the file", kEnd, 16, "\xff\xff\xff\x7f"),
      patched_zip("a directory with more entries than are counted", kEnd, 8,
                  std::string("\x03\0\x03\0", 4)),
      patched_zip("a zip of several disks", kEnd, 4, "\x01"),
      patched_zip("an entry that is longer than the directory", kEntry, 32, "\xff\xff"),
      patched_zip("an entry without a name", kEntry, 28, std::string(1, '\0')),
      patched_zip("a record of two sizes", kEntry, 20, "\x7f"),
      patched_zip("a record that begins within another", kEntry, 42, "\x01"),
      patched_model("a ZIP64 record behind its locator", kLocator64, 8, "\xff\xff\xff\x7f"),
      patched_model("a ZIP64 record that is not where it should be", kLocator64, 8,
                    std::string(4, '\0')),
      patched_model("a ZIP64 record of several disks", kEnd64, 16, "\x01"),
      {"a tar archive",
       [](const Scratch& s) {
         std::string file(1024, '\0');
         return s.convert(s.write("in.pt", file.replace(257, 5, "ustar")), "pt",
                          {"--from", "zero1"});
       }},
      {"a zip that torch did not write",
       [](const Scratch& s) {
         s.copy("nemo2/input_tiny.pt", "in.pt");
         std::string file = TempFolder::text_of(s.path("in.pt"));
         for (auto at = file.find("data.pkl"); at != std::string::npos;
              at = file.find("data.pkl", at + 1)) {
           file.replace(at, 8, "date.pkl");
         }
         return s.convert(s.write("in.pt", file), "pt");
       }},
  };
}

}  // namespace ckptbridge::errors
