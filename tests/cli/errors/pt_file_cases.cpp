// .pt files whose zip or pickle is damaged.
#include "tests/cli/errors/case.h"
#include "tests/cli/pt_file.h"

namespace ckptbridge::errors {
namespace {

Case pickle(const std::string& name, const std::string& text) {
  return {name, [=](const Scratch& s) {
            return s.convert(s.write("in.pt", pt_of("\x80\x02" + text + ".")), "pt");
          }};
}

// The tiny model with a few bytes changed.
Case changed(const std::string& name, const std::string& from, const std::string& to) {
  return {name, [=](const Scratch& s) {
            s.copy("nemo2/input_tiny.pt", "in.pt");
            s.replace("in.pt", from, to);
            return s.convert(s.path("in.pt"), "pt");
          }};
}

std::string text(const std::string& value) {
  return std::string("X") + static_cast<char>(value.size()) + std::string(3, '\0') + value;
}

const std::string kZero("K\0", 2);
const std::string kFloatStorage = "ctorch\nFloatStorage\n";

// A storage of this class, key and number of elements.
std::string storage(const std::string& type, const std::string& key = "0",
                    const std::string& count = "K\x01") {
  return "(" + text("storage") + type + text(key) + text("cpu") + count + "tQ";
}

// A state dict of one tensor, whose _rebuild_tensor_v2 gets this storage and these arguments:
// offset, shape and strides among them.
std::string tensor_of(const std::string& storage,
                      const std::string& arguments = kZero + "(K\x01t(K\x01t") {
  return "}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + arguments +
         "\x89"
         "ccollections\nOrderedDict\n)RtRs";
}

// The same of the one float that there is.
std::string tensor(const std::string& arguments) {
  return tensor_of(storage(kFloatStorage), arguments);
}

}  // namespace

std::vector<Case> pt_file_cases() {
  return {
      {"a class that an extension code names",
       [](const Scratch& s) { return s.convert(golden("malicious/extension_code.pt"), "pt"); }},
      pickle("data beside the pickle", "\x97"),
      pickle("a float that is none", "Fabc\n"),
      pickle("a string without quotes", "Sabc\n"),
      pickle("a string with an unknown escape", "S'\\xzz'\n"),
      pickle("a memo index that is no number", "gx\n"),
      pickle("a line that does not end", "Iabc"),
      pickle("a class whose name is no UTF-8", "c\xff\nb\n"),
      pickle("a number in the place of a class", "K\x01)\x81"),
      pickle("elements of what is no set", "](K\x01\x90"),
      pickle("keyword arguments that are none", "ca\nb\n)K\x01\x92"),
      pickle("an empty stack", "0"),
      pickle("an opcode that there is not", "\xff"),
      pickle("a tensor without its arguments", "}" + text("w") +
                                                   "ctorch._utils\n"
                                                   "_rebuild_tensor_v2\n)Rs"),
      pickle("a tensor of a negative size", tensor(kZero + "(J\xff\xff\xff\xfft(K\x01t")),
      pickle("a tensor with a stride too many", tensor(kZero + "(K\x01t(K\x01K\x01t")),
      pickle("a tensor beyond its storage", tensor(kZero + "(K\x09t(K\x01t")),
      pickle("a text that ends behind the file", std::string("X\xff\0\0\0abc", 8)),
      pickle("a number where a storage is expected", tensor_of("K\x01")),
      pickle("a storage that does not say of what", tensor_of("(" + text("storage") + "tQ")),
      pickle("a storage of an unknown class", tensor_of(storage("ctorch\nFancyStorage\n"))),
      pickle("a storage of which a number is the class", tensor_of(storage("K\x01"))),
      pickle("a storage larger than its record", tensor_of(storage(kFloatStorage, "0", "K\x09"))),
      pickle("a storage that there is not", tensor_of(storage(kFloatStorage, "7"))),
      changed("a record without its header", "PK\x03\x04", "PK\x03\x05"),
      changed("an entry of the directory that is none", "PK\x01\x02", "PK\x01\x03"),
      changed("an end of the zip that is none", "PK\x05\x06", "PK\x05\x07"),
      changed("bytes in no order", "little", "lettle"),
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
