// safetensors that are missing parts, damaged, or not of one checkpoint.
#include "tests/cli/errors/case.h"
#include "tests/cli/hand_made_pt.h"

namespace ckptbridge::errors {
namespace {

// A copy of the golden shards, changed, and converted.
Case changed(const std::string& name, const std::function<void(const Scratch&)>& change) {
  return {name, [=](const Scratch& s) {
            s.copy("safetensors/sharded");
            change(s);
            return s.convert(s.path("in"), "pt");
          }};
}

// A file of safetensors with this header, and so many bytes of tensors.
Case header(const std::string& name, const std::string& text, std::size_t size = 4) {
  return {name, [=](const Scratch& s) {
            std::string file(8, '\0');
            for (std::size_t i = 0; i < 8; ++i) {
              file[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
            }
            return s.convert(s.write("in.safetensors", file + text + std::string(size, '\0')),
                             "pt");
          }};
}

}  // namespace

std::vector<Case> safetensors_cases() {
  return {
      {"several files of safetensors",
       [](const Scratch& s) {
         return s.convert(s.copy_without("safetensors/sharded", "model.safetensors.index.json"),
                          "pt");
       }},
      {"a shard that is missing",
       [](const Scratch& s) {
         return s.convert(s.copy_without("safetensors/sharded", "model-00002-of-00002.safetensors"),
                          "pt");
       }},
      changed("an index that is none",
              [](const Scratch& s) { s.write("in/model.safetensors.index.json", "{}"); }),
      changed("an index that leaves its folder",
              [](const Scratch& s) {
                s.write("in/model.safetensors.index.json", R"({"weight_map": {"w": "../x"}})");
              }),
      changed("an index of tensors that a shard lacks",
              [](const Scratch& s) {
                s.replace("in/model.safetensors.index.json", "sequential.2.norm",
                          "sequential.2.nrom");
              }),
      changed("an index of too many names",
              [](const Scratch& s) { s.truncate("in/model.safetensors.index.json", 100'000'001); }),
      {"a tensor of a dtype that safetensors has not",
       [](const Scratch& s) {
         const std::string complex = storage("ctorch\nComplexDoubleStorage\n");
         std::vector<ZipRecordText> records = records_of_pt(state_dict_of(rebuilt(complex)));
         records[2].data.resize(16);
         return s.convert(s.write("in.pt", zip_of(records)), "safetensors");
       }},
      {"a folder without safetensors",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp1"), "pt", {"--from", "safetensors"});
       }},
      {"a file that is no safetensors",
       [](const Scratch& s) {
         return s.convert(s.write("in.safetensors", "nothing of the kind"), "pt");
       }},
      header("a header that is no JSON", "{]"),
      header("a header that is a list", "[]"),
      header("a tensor without a dtype", R"({"w": {"shape": [4], "data_offsets": [0, 4]}})"),
      header("a tensor of an unknown dtype",
             R"({"w": {"dtype": "X8", "shape": [4], "data_offsets": [0, 4]}})"),
      header("a tensor of half bytes",
             R"({"w": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}})"),
      header("a tensor of other bytes than its shape has",
             R"({"w": {"dtype": "U8", "shape": [3], "data_offsets": [0, 4]}})"),
      header("two tensors on the same bytes",
             R"({"v": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},)"
             R"( "w": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}})"),
      header("bytes that belong to no tensor",
             R"({"w": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}})"),
      header("fewer bytes than tensors have",
             R"({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})", 2),
      header("parts of tensors", R"({"__metadata__": {"DCP_SHARDING_INFO": "x"},)"
                                 R"( "w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})"),
      header("a name with a NUL",
             R"({"w\u0000": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})"),
      header("a tensor that is a boolean", R"({"w": true})"),
      header("a shape that is null", R"({"w": {"dtype": "U8", "shape": null}})"),
      header("a tensor of two and a half elements", R"({"w": {"dtype": "U8", "shape": [2.5]}})"),
      header("data offsets that are three",
             R"({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 2, 4]}})"),
      header("a name that is there twice",
             R"({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},)"
             R"( "w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})"),
      header("a tensor with an unknown member",
             R"({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4], "x": 1}})"),
  };
}

}  // namespace ckptbridge::errors
