// What is typed wrong.
#include "tests/cli/errors/case.h"

namespace ckptbridge::errors {
namespace {

const std::string kInput = golden("nemo2/input_tiny.pt");

// `convert` with these options besides what it needs.
Case option(const std::string& name, const Arguments& more, const std::string& to = "pt") {
  return {name, [=](const Scratch& s) { return s.convert(kInput, to, more); }};
}

Case words(const std::string& name, const Arguments& arguments) {
  return {name, [=](const Scratch&) { return arguments; }};
}

}  // namespace

std::vector<Case> usage_cases() {
  return {
      words("a misspelt verb", {"convrt", "in", "out"}),
      words("a misspelt verb behind plan", {"plan", "convrt", "in", "out"}),
      words("a misspelt verb behind help", {"help", "inspct"}),
      words("an option before the verb", {"--verbose", "plugins"}),
      words("no input", {"convert", "--to", "pt"}),
      words("no format", {"convert", "in", "out"}),
      words("an argument too many", {"convert", "a", "b", "c", "--to", "pt"}),
      words("an action of plugins that there is not", {"plugins", "shw", "x"}),
      words("an action of profiles that there is not", {"profiles", "chek", "x"}),
      words("a plugin to show that there is not", {"plugins", "show", "zero1-raeder"}),
      words("a profile to show that there is not", {"profiles", "show", "7bb"}),
      words("nothing to verify against", {"verify", "x"}),
      words("both to verify against", {"verify", "x", "--against", "y", "--manifest", "z"}),
      words("no tolerance", {"diff", "a", "b", "--tolerance", "much"}),
      words("a folder of plugins that there is not", {"plugins", "--plugin-dir", "absent"}),
      option("a misspelt option", {"--modle-size", "7b"}),
      option("an option twice", {"--to", "zero1"}),
      option("an option without its value", {"--from", "--verbose"}),
      option("a value for a flag", {"--verbose=3"}),
      option("no number of threads", {"--threads", "0"}),
      option("no size", {"--memory", "12 parsecs"}),
      option("no style of progress", {"--progress", "jsno"}),
      option("sync and no sync", {"--sync", "--no-sync"}),
      option("the pieces of a tensor of what is converted", {"--tensor", "w"}),
      option("an input format that there is not", {"--from", "zreo1"}),
      option("an output format that there is not", {}, "nemo2-torch_dits"),
      option("no integer", {"--mp-size", "two"}, "zero1"),
      option("neither true nor false", {"--exclude-extra=maybe"}, "zero1"),
      option("no choice", {"--params-dtype", "bf61"}, "nemo2-torch_dist"),
      option("an empty path", {"--profile", ""}, "nemo2-torch_dist"),
      option("an option of a plugin twice", {"--mp-size", "1", "--mp-size", "2"}, "zero1"),
      option("an option of a plugin that is not in the chain", {"--chunk-bytes", "5"}),
      option("a size and a profile",
             {"--model-size", "7b", "--profile", golden("nemo2/tiny_profile.json")},
             "nemo2-torch_dist"),
      option("a size that there is not", {"--model-size", "7bb"}, "nemo2-torch_dist"),
      option("a size like none that there is", {"--model-size", "x"}, "nemo2-torch_dist"),
      option("no text in UTF-8", {"--names", "\xff"}),
      option("zero ranks", {"--mp-size", "0"}, "zero1"),
      option("chunks of nothing",
             {"--chunk-bytes", "-1", "--profile", golden("nemo2/tiny_profile.json")}, "nemo2-zarr"),
      option("shards of nothing", {"--max-shard-bytes", "0"}, "safetensors"),
      option("memory for no work", {"--memory", "1"}),
      {"a format of the preset that there is not",
       [](const Scratch& s) {
         return Arguments{"convert_to_nemo", "--model-path",  kInput, "--output-dir",
                          s.out(),           "--ckpt-format", "zar"};
       }},
      {"threads said twice",
       [](const Scratch& s) {
         return Arguments{"convert_zero3_to_zero1", "x", s.out(),     "--mp_size", "1",
                          "--num_workers",          "2", "--threads", "2"};
       }},
      {"a preset that sets an option that the plugin has not",
       [](const Scratch& s) {
         s.write("plugins/acme.cut.json",
                 R"({"manifest_version": 1, "id": "acme.cut", "roles": ["preset"],
                     "verb": "acme_cut", "summary": "s", "usage": "IN OUT", "description": "d",
                     "arguments": [{"names": ["IN"], "help": "h"}, {"names": ["OUT"], "help": "h"}],
                     "input": "{IN}", "output": "{OUT}", "chain": ["zero1-reader", "pt-writer"],
                     "sets": ["pt-writer.nmaes=savanna"]})");
         return Arguments{"acme_cut", kInput, s.out(), "--plugin-dir", s.path("plugins")};
       }},
      {"an input that there is not, but one nearly of its name",
       [](const Scratch& s) {
         s.write("global_step500/x", "");
         return s.convert(s.path("global_stpe500"), "pt");
       }},
      words("an input that there is not", {"inspect", "absent.pt"}),
      {"an input that is nothing known",
       [](const Scratch& s) { return s.convert(s.write("in/notes.txt", "x"), "pt"); }},
      {"an empty folder",
       [](const Scratch& s) {
         boost::filesystem::create_directories(s.path("in"));
         return s.convert(s.path("in"), "pt");
       }},
      {"a pointer of git-lfs in place of the file",
       [](const Scratch& s) {
         return s.convert(s.write("in.pt", "version https://git-lfs.github.com/spec/v1\n"), "pt");
       }},
  };
}

}  // namespace ckptbridge::errors
