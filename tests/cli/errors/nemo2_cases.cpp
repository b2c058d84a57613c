// NeMo2 folders and safetensors that are missing parts, damaged, or not of one checkpoint.
#include "tests/cli/errors/case.h"

namespace ckptbridge::errors {
namespace {

const std::string kDist = "nemo2/out_torch_dist";
const std::string kZarr = "nemo2/out_zarr";
const std::string kNorm = "in/weights/module.decoder.final_norm.weight/";

// A copy of a golden folder, changed, and converted.
Case changed(const std::string& name, const std::string& golden_name,
             const std::function<void(const Scratch&)>& change, const std::string& to = "pt") {
  return {name, [=](const Scratch& s) {
            s.copy(golden_name);
            change(s);
            return s.convert(s.path("in"), to);
          }};
}

void erase(const Scratch& s, const std::string& name) {
  ASSERT_GT(boost::filesystem::remove_all(s.path(name)), 0u) << name;
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

std::vector<Case> nemo2_cases() {
  return {
      changed("no .metadata", kDist, [](const Scratch& s) { erase(s, "in/weights/.metadata"); }),
      changed("a data file that is missing", kDist,
              [](const Scratch& s) { erase(s, "in/weights/__0_1.distcp"); }),
      changed("a data file that is cut short", kDist,
              [](const Scratch& s) { s.truncate("in/weights/__0_1.distcp", 1000); }),
      changed("a .metadata that is no pickle", kDist,
              [](const Scratch& s) { s.write("in/weights/.metadata", "x"); }),
      changed("a .metadata of something else", kDist,
              [](const Scratch& s) { s.write("in/weights/.metadata", "\x80\x02}."); }),
      changed("weights that leave their folder", kDist,
              [](const Scratch& s) {
                s.replace("in/weights/.metadata", "__0_1.distcp", "../01.distcp");
              }),
      changed("another backend", kDist,
              [](const Scratch& s) {
                s.write("in/weights/metadata.json", R"({"sharded_backend": "fancy"})");
                s.write("in/weights/x/.zarray", "{}");
              }),
      {"another backend than was said",
       [](const Scratch& s) {
         return s.convert(golden(kZarr), "pt", {"--from", "nemo2-torch_dist"});
       }},
      {"a metadata.json that names none",
       [](const Scratch& s) {
         s.copy(kDist);
         s.write("in/weights/metadata.json", "{}");
         return s.convert(s.path("in"), "pt");
       }},
      {"a backend of another version",
       [](const Scratch& s) {
         s.copy(kDist);
         s.write("in/weights/metadata.json",
                 R"({"sharded_backend": "torch_dist", "sharded_backend_version": 9})");
         return s.convert(s.path("in"), "pt");
       }},
      {"a checkpoint that was not saved to its end",
       [](const Scratch& s) {
         s.copy(kDist);
         s.write("in-unfinished", "");
         return s.convert(s.path("in"), "pt");
       }},
      changed("a chunk that is missing", kZarr, [](const Scratch& s) { erase(s, kNorm + "0"); }),
      changed("a chunk of another size", kZarr,
              [](const Scratch& s) { s.truncate(kNorm + "0", 3); }),
      changed("a .zarray that is no JSON", kZarr,
              [](const Scratch& s) { s.write(kNorm + ".zarray", "["); }),
      changed("a .zarray without a shape", kZarr,
              [](const Scratch& s) { s.write(kNorm + ".zarray", R"({"zarr_format": 2})"); }),
      changed("a .zarray that is compressed", kZarr,
              [](const Scratch& s) {
                s.replace(kNorm + ".zarray", R"("compressor": null)", R"("compressor": {"id": 1})");
              }),
      changed("a .zarray of an unknown type", kZarr,
              [](const Scratch& s) { s.replace(kNorm + ".zarray", "bfloat16", "<c16"); }),
      changed("a .zarray of another version", kZarr,
              [](const Scratch& s) {
                s.replace(kNorm + ".zarray", R"("zarr_format": 2)", R"("zarr_format": 3)");
              }),
      {"no tensor in a zarr folder",
       [](const Scratch& s) {
         s.write("in/metadata.json", R"({"sharded_backend": "zarr"})");
         return s.convert(s.path("in"), "pt");
       }},
      {"several files of safetensors",
       [](const Scratch& s) {
         return s.convert(s.copy_without("safetensors/sharded", "model.safetensors.index.json"),
                          "pt");
       }},
      changed("a shard that is missing", "safetensors/sharded",
              [](const Scratch& s) { erase(s, "in/model-00002-of-00002.safetensors"); }),
      changed("an index that is none", "safetensors/sharded",
              [](const Scratch& s) { s.write("in/model.safetensors.index.json", "{}"); }),
      changed("an index that leaves its folder", "safetensors/sharded",
              [](const Scratch& s) {
                s.write("in/model.safetensors.index.json", R"({"weight_map": {"w": "../x"}})");
              }),
      changed("an index of tensors that a shard lacks", "safetensors/sharded",
              [](const Scratch& s) {
                s.replace("in/model.safetensors.index.json", "sequential.2.norm",
                          "sequential.2.nrom");
              }),
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
  };
}

}  // namespace ckptbridge::errors
