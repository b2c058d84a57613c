// Models that are not those of Evo2, and profiles that are wrong.
#include "tests/cli/errors/case.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge::errors {
namespace {

const std::string kInput = golden("nemo2/input_tiny.pt");

Case size(const std::string& name, const std::string& input, const Arguments& more = {}) {
  return {name, [=](const Scratch& s) { return s.convert(input, "nemo2-torch_dist", more); }};
}

Case profile(const std::string& name, const std::string& text) {
  return {name, [=](const Scratch& s) {
            return s.convert(kInput, "nemo2-torch_dist", {"--profile", s.write("mine.json", text)});
          }};
}

// The tiny profile with one thing changed.
Case tiny(const std::string& name, const std::string& from, const std::string& to) {
  std::string text = TempFolder::text_of(golden("nemo2/tiny_profile.json"));
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return profile(name, text.replace(at, from.size(), to));
}

// A model of one tensor, whatever its reader knows of its name.
Case mapped(const std::string& name, const std::string& tensor) {
  return {name, [=](const Scratch& s) {
            s.write("in.pt", make_rank_file({{tensor, {8}, "12345678"}}));
            return Arguments{"run",
                             "zero1-reader",
                             "path=" + s.path("in.pt"),
                             "!",
                             "evo2-mapper",
                             "model-size=7b",
                             "!",
                             "nemo2-torch_dist-writer",
                             "path=" + s.out()};
          }};
}

}  // namespace

std::vector<Case> model_cases() {
  return {
      size("a model of no known size", kInput),
      size("a model of another size", kInput, {"--model-size", "7b"}),
      size("a model in Vortex's format", golden("cli/vortex.pt")),
      mapped("names of Vortex in a chain that is spelled out", "blocks.0.filter.h"),
      mapped("Megatron's names in a chain that is spelled out", "decoder.layers.0.mlp.weight"),
      mapped("other names in a chain that is spelled out", "encoder.layers.0.weight"),
      {"a model of other names",
       [](const Scratch& s) {
         s.write("in.pt", make_rank_file({{"encoder.layers.0.weight", {8}, "12345678"}}));
         return s.convert(s.path("in.pt"), "nemo2-torch_dist", {"--model-size", "7b"});
       }},
      size("a profile that there is not", kInput, {"--profile", "absent.json"}),
      profile("a profile that is no JSON", "{"),
      profile("a profile that is a list", "[]"),
      profile("a profile of more than a MiB", std::string((1 << 20) + 1, ' ')),
      profile("a profile that is nested deeply", std::string(200, '[')),
      profile("a number too large for JSON", R"({"name": "mine", "hidden_size": 6e666})"),
      tiny("a misspelt field", "hidden_size", "hiden_size"),
      tiny("a field of another type", "\"num_layers\": 7", "\"num_layers\": \"seven\""),
      tiny("a field twice", "\"num_layers\": 7", "\"num_layers\": 7, \"num_layers\": 7"),
      tiny("a parent that there is not", "\"inherits\": \"test\"", "\"inherits\": \"tset\""),
      tiny("a profile that is its own parent", "\"inherits\": \"test\"", "\"inherits\": \"tiny\""),
      tiny("a parent of which NeMo has no class", "\"inherits\": \"test\"",
           "\"inherits\": \"20b\""),
      tiny("the name of a size that there is", "\"name\": \"tiny\"", "\"name\": \"7b\""),
      tiny("layers that the pattern has not", "\"num_layers\": 7", "\"num_layers\": 8"),
      tiny("heads that do not divide", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5"),
      tiny("another hidden size", "\"hidden_size\": 64", "\"hidden_size\": 32"),
      {"a profile to check that there is not",
       [](const Scratch& s) {
         return Arguments{"profiles", "check", s.path("absent.json")};
       }},
      {"a checkpoint without tensors",
       [](const Scratch& s) {
         s.write("in.pt", make_rank_file({}));
         return s.convert(s.path("in.pt"), "nemo2-torch_dist", {"--model-size", "7b"});
       }},
  };
}

}  // namespace ckptbridge::errors
