// Chains that cannot be, typed or in a file.
#include "tests/cli/errors/case.h"

namespace ckptbridge::errors {
namespace {

const std::string kInput = golden("nemo2/input_tiny.pt");

Case run(const std::string& name, const Arguments& words) {
  return {name, [=](const Scratch&) {
            Arguments arguments = {"run"};
            arguments.insert(arguments.end(), words.begin(), words.end());
            return arguments;
          }};
}

Case file(const std::string& name, const std::string& text) {
  return {name, [=](const Scratch& s) { return Arguments{"run", s.write("chain.json", text)}; }};
}

}  // namespace

std::vector<Case> chain_cases() {
  const std::string writer = R"({"plugin": "pt-writer", "path": "out"})";
  const auto first = [&](const std::string& step) {
    return R"({"steps": [)" + step + ", " + writer + "]}";
  };
  return {
      run("no chain", {}),
      run("a chain of one", {"zero1-reader", "path=x"}),
      run("a plugin that there is not", {"zero1-raeder", "path=x", "!", "pt-writer", "path=y"}),
      run("a writer in the place of a reader", {"pt-writer", "path=x", "!", "pt-writer", "path=y"}),
      run("no input in a chain", {"zero1-reader", "!", "pt-writer", "path=y"}),
      run("no output in a chain", {"zero1-reader", "path=x", "!", "pt-writer"}),
      run("two inputs in a chain",
          {"zero1-reader", "path=x", "path=z", "!", "pt-writer", "path=y"}),
      run("a path in the middle of a chain",
          {"zero1-reader", "path=x", "!", "mp-resharder", "path=z", "!", "pt-writer", "path=y"}),
      run("no plugin before a !", {"!", "pt-writer", "path=y"}),
      run("no plugin after a !", {"zero1-reader", "path=x", "!"}),
      run("no blanks around a !", {"zero1-reader!pt-writer", "path=y"}),
      run("an option before its plugin", {"path=x", "zero1-reader"}),
      run("a quote that is not closed", {"zero1-reader path='x ! pt-writer path=y"}),
      run("a backslash at the end", {"zero1-reader path=x ! pt-writer path=y \\"}),
      run("an option that a plugin has not",
          {"zero1-reader", "path=x", "tga=y", "!", "pt-writer", "path=y"}),
      run("an option without its value in a chain",
          {"zero1-reader", "path=x", "tag", "!", "pt-writer", "path=y"}),
      run("a required option that is missing",
          {"zero1-reader", "path=x", "!", "mp-resharder", "!", "zero1-writer", "path=y"}),
      run("a file of a chain that there is not", {"absent.json"}),
      file("a chain that is not JSON", "{"),
      file("a chain without steps", "{}"),
      file("a chain with a misspelt member", R"({"stpes": []})"),
      file("a step with a misspelt member", first(R"({"plugn": "zero1-reader"})")),
      file("a step that is a number", first("3")),
      file("a step without a plugin", first(R"({"path": "x"})")),
      file("a step whose plugin is a number", first(R"({"plugin": 3})")),
      file("a step with a zero byte in its path",
           first(R"({"plugin": "zero1-reader", "path": "x\u0000"})")),
      file("a step whose options are a list",
           first(R"({"plugin": "zero1-reader", "path": "x", "options": []})")),
      file("a step with an object as an option",
           first(R"({"plugin": "zero1-reader", "path": "x", "options": {"tag": {}}})")),
      {"a chain that an option contradicts",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp8"), "nemo2-torch_dist", {"--mp-size", "2"});
       }},
      {"a chain that leads nowhere",
       [](const Scratch& s) {
         return s.convert(golden("cli/other_model.pt"), "nemo2-torch_dist");
       }},
      {"shards where whole tensors are needed",
       [](const Scratch& s) {
         return Arguments{"run", "zero1-reader", "path=" + golden("zero1/z1_mp8"),
                          "!",   "pt-writer",    "path=" + s.out()};
       }},
      {"shards where Megatron's tensors are needed",
       [](const Scratch& s) {
         return Arguments{"run",
                          "zero1-reader",
                          "path=" + golden("zero1/z1_mp8"),
                          "!",
                          "nemo2-torch_dist-writer",
                          "path=" + s.out()};
       }},
      {"shards where a size is looked for",
       [](const Scratch& s) {
         return Arguments{"run",       "zero1-reader",   "path=" + golden("zero1/z1_mp8"),
                          "!",         "evo2-mapper",    "!",
                          "pt-writer", "path=" + s.out()};
       }},
  };
}

}  // namespace ckptbridge::errors
