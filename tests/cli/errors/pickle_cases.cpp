// Pickles that were damaged, or made by hand to do harm.
#include "tests/cli/errors/case.h"
#include "tests/cli/hand_made_pt.h"

namespace ckptbridge::errors {
namespace {

Case pickle(const std::string& name, const std::string& opcodes) {
  return {name,
          [=](const Scratch& s) { return s.convert(s.write("in.pt", pt_of(opcodes)), "pt"); }};
}

Case tensor(const std::string& name, const std::string& storage,
            const std::string& arguments = kOneElement) {
  return pickle(name, state_dict_of(rebuilt(storage, arguments)));
}

// A parameter of a parameter of …
std::string wrapped(std::string value, int times) {
  for (int i = 0; i < times; ++i) value = rebuilt(value, "", "", "_rebuild_parameter");
  return value;
}

// One that converts what is no tensor, too.
Case state(const std::string& name, const std::string& object) {
  return {name, [=](const Scratch& s) {
            const std::string module = state_dict_of(rebuilt(storage(kFloatStorage)),
                                                     "sequential.0.word_embeddings.weight");
            const std::string opcodes =
                "}" + text("module") + module + "s" + text("extra") + object + "s";
            s.write("in/mp_rank_00_model_states.pt", pt_of(opcodes));
            return s.convert(s.path("in"), "zero1");
          }};
}

}  // namespace

std::vector<Case> pickle_cases() {
  const std::string one = storage(kFloatStorage);
  return {
      {"a class that an extension code names",
       [](const Scratch& s) { return s.convert(golden("malicious/extension_code.pt"), "pt"); }},
      pickle("data beside the pickle", "\x97"),
      pickle("a float that is none", "Fabc\n"),
      pickle("a string without quotes", "Sabc\n"),
      pickle("a string with an unknown escape", "S'\\xzz'\n"),
      pickle("a text with an unknown escape", "V\\u12\n"),
      pickle("a memo index that is no number", "gx\n"),
      pickle("a line that does not end", "Iabc"),
      pickle("a class whose name is no UTF-8", "c\xff\nb\n"),
      pickle("a number in the place of a class", "K\x01)\x81"),
      pickle("an object without a class", "(o"),
      pickle("elements of what is no set", "](K\x01\x90"),
      pickle("an element of what is no list",
             "}K\x01"
             "a"),
      pickle("a value of what is no dict", "]K\x01K\x01s"),
      pickle("keyword arguments that are none", "ca\nb\n)K\x01\x92"),
      pickle("an empty stack", "0"),
      pickle("an opcode that there is not", "\xff"),
      pickle("a text that ends behind the file", std::string("X\xff\0\0\0abc", 8)),
      pickle("a tensor without its arguments",
             state_dict_of("ctorch._utils\n_rebuild_tensor_v2\n)R")),
      tensor("a tensor of a negative size", one, kZero + "(J\xff\xff\xff\xfft(K\x01t"),
      tensor("a tensor with a stride too many", one, kZero + "(K\x01t(K\x01K\x01t"),
      tensor("a tensor beyond its storage", one, kZero + "(K\x09t(K\x01t"),
      tensor("a tensor whose shape is a number", one, kZero + "K\x01(K\x01t"),
      tensor("a number where a storage is expected", "K\x01"),
      tensor("a storage that does not say of what", "(" + text("storage") + "tQ"),
      tensor("a storage of an unknown class", storage("ctorch\nFancyStorage\n")),
      tensor("a storage of which a number is the class", storage("K\x01")),
      tensor("a storage larger than its record", storage(kFloatStorage, "0", "K\x09")),
      tensor("a storage that there is not", storage(kFloatStorage, "7")),
      tensor("a tensor of no type", storage("ctorch.storage\nUntypedStorage\n", "0", "K\x04")),
      pickle("a tensor that is yet to be conjugated",
             state_dict_of(rebuilt(one, kOneElement, "}" + text("conj") + "\x88s"))),
      pickle("a tensor of an unknown type",
             state_dict_of(rebuilt(one, kOneElement, "ctorch\nfancy\n", "_rebuild_tensor_v3"))),
      pickle("a parameter of parameters without end", state_dict_of(wrapped(rebuilt(one), 9))),
      state("a class with a line break in its name", text("os\nsystem") + text("x") + "\x93"),
  };
}

}  // namespace ckptbridge::errors
