// Files in torch's old format, which is a row of pickles and then the storages.
#include "tests/cli/errors/case.h"
#include "tests/cli/hand_made_pt.h"

namespace ckptbridge::errors {
namespace {

Case file(const std::string& name, const LegacyText& text) {
  return {name, [=](const Scratch& s) {
            return s.convert(s.write("in.pt", legacy_of(text)), "pt", {"--from", "zero1"});
          }};
}

// One float of a storage of two, by which old files name a view of it.
std::string of_view(const std::string& view, const std::string& key = "0",
                    const std::string& count = "K\x02") {
  return rebuilt(storage(kFloatStorage, key, count, view));
}

// (key, offset 0, size)
std::string view(const std::string& key, const std::string& size = "K\x01") {
  return "(" + text(key) + kZero + size + "t";
}

// A state dict of two tensors.
std::string both(const std::string& a, const std::string& b) {
  return state_dict_of(a, "a") + text("b") + b + "s";
}

}  // namespace

std::vector<Case> legacy_cases() {
  const std::string one = state_dict_of(rebuilt(storage(kFloatStorage)));
  return {
      file("an old file with another number at its beginning",
           {.object = one, .keys = keys({"0"}), .counts = {1}, .magic = "0123456789"}),
      file("an old file of an unknown kind of machine",
           {.object = one, .keys = keys({"0"}), .counts = {1}, .machine = "}"}),
      file("an old file with a text of a negative size",
           {.object = "T\xff\xff\xff\xff", .keys = keys({}), .counts = {}}),
      file("a view that is a number",
           {.object = state_dict_of(of_view("K\x01")), .keys = keys({"0"}), .counts = {2}}),
      file("a view that has the key of the whole storage",
           {.object = state_dict_of(of_view(view("0"))), .keys = keys({"0"}), .counts = {2}}),
      file("views of a storage of two sizes",
           {.object = both(of_view(view("1")), of_view(view("2"), "0", "K\x03")),
            .keys = keys({"0"}),
            .counts = {2}}),
      file("a view of a view",
           {.object = both(of_view(view("1", "K\x02")), of_view(view("2"), "1")),
            .keys = keys({"0", "1"}),
            .counts = {2, 2}}),
      file("a list of storages that is none", {.object = one, .keys = "}", .counts = {1}}),
      file("a list that has a storage twice",
           {.object = one, .keys = keys({"0", "0"}), .counts = {1, 1}}),
  };
}

}  // namespace ckptbridge::errors
