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

}  // namespace

std::vector<Case> model_cases() {
  return {
      size("a model of no known size", kInput),
      size("a model of another size", kInput, {"--model-size", "7b"}),
      size("a model in Vortex's format", golden("cli/vortex.pt")),
      size("a profile that there is not", kInput, {"--profile", "absent.json"}),
      profile("a profile that is no JSON", "{"),
      profile("a profile that is a list", "[]"),
      tiny("a misspelt field", "hidden_size", "hiden_size"),
      tiny("a field of another type", "\"num_layers\": 7", "\"num_layers\": \"seven\""),
      tiny("a field twice", "\"num_layers\": 7", "\"num_layers\": 7, \"num_layers\": 7"),
      tiny("a parent that there is not", "\"inherits\": \"test\"", "\"inherits\": \"tset\""),
      tiny("a profile that is its own parent", "\"inherits\": \"test\"", "\"inherits\": \"tiny\""),
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
      {"a list of digests that is none",
       [](const Scratch& s) {
         return Arguments{"verify", kInput, "--manifest", s.write("digests.json", "{}")};
       }},
      {"a list of digests of another version",
       [](const Scratch& s) {
         return Arguments{"verify", kInput, "--manifest",
                          s.write("digests.json", R"({"ckptbridge_digests": 9})")};
       }},
      {"a list of other digests",
       [](const Scratch& s) {
         return Arguments{"verify", kInput, "--manifest",
                          s.write("digests.json", R"({"ckptbridge_digests": 1, "digest": "md5"})")};
       }},
      {"a list without tensors",
       [](const Scratch& s) {
         return Arguments{
             "verify", kInput, "--manifest",
             s.write("digests.json", R"({"ckptbridge_digests": 1, "digest": "xxh3-128"})")};
       }},
      {"a list of digests that there is not",
       [](const Scratch& s) {
         return Arguments{"verify", kInput, "--manifest", s.path("absent.json")};
       }},
  };
}

}  // namespace ckptbridge::errors
