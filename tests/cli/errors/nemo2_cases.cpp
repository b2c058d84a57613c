// NeMo2 folders that are missing parts, damaged, or not of one checkpoint.
#include "plugins/torch_file/lookup.h"
#include "tests/cli/errors/case.h"
#include "tests/cli/errors/edited.h"

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

// The golden zarr folder with a .zarray that has these members.
Case zarray(const std::string& name, const std::string& shape, const std::string& dtype,
            const std::string& chunks = "[64]") {
  return changed(name, kZarr, [=](const Scratch& s) {
    s.write(kNorm + ".zarray", R"({"chunks": )" + chunks + R"(, "compressor": null, "dtype": ")" +
                                   dtype +
                                   R"(", "fill_value": null, "filters": null, "order": "C",)" +
                                   R"("shape": )" + shape + R"(, "zarr_format": 2})");
  });
}

// The golden torch_dist folder with a change of its .metadata.
Case metadata(const std::string& name, const Edit& edit) {
  return changed(name, kDist,
                 [=](const Scratch& s) { edit_pickle(s.path("in/weights/.metadata"), edit); });
}

const std::string kNormKey = "module.decoder.final_norm.weight";

const std::string kStateKey =
    "module.decoder.layers.0.mixer.dense_projection._extra_state/shard_0_1";

torch_file::ValueId entry_of(const Edited& e, const std::string& key) {
  return torch_file::require(e.values, e.field(e.root, "state_dict_metadata"), key, "test");
}

torch_file::ValueId norm_of(const Edited& e) { return entry_of(e, kNormKey); }

// Where the first part of it lies.
torch_file::Item item_of(const Edited& e, const std::string& key) {
  for (const auto& item : torch_file::items_of(e.values, e.field(e.root, "storage_data"))) {
    if (e.values.as_string(e.field(item.key, "fqn")) == key) return item;
  }
  throw std::out_of_range(key);
}

void erase(const Scratch& s, const std::string& name) {
  ASSERT_GT(boost::filesystem::remove_all(s.path(name)), 0u) << name;
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
      zarray("a .zarray of a type that is none of torch's", "[64]", "|S1"),
      zarray("a .zarray whose shape is no list", R"("64")", "bfloat16"),
      zarray("a .zarray of a negative size", "[-64]", "bfloat16"),
      zarray("a .zarray of more elements than there can be", "[4611686018427387904, 8]", "bfloat16",
             "[1, 1]"),
      changed(
          "a .zarray of a MiB", kZarr,
          [](const Scratch& s) { s.write(kNorm + ".zarray", std::string((1 << 20) + 1, ' ')); }),
      changed("a metadata.json of a MiB", kDist,
              [](const Scratch& s) {
                s.write("in/weights/metadata.json", std::string((1 << 20) + 1, ' '));
              }),
      metadata("chunks that are a number",
               [](Edited& e) { e.set_field(norm_of(e), "chunks", e.values.integer(1)); }),
      metadata("a tensor without chunks",
               [](Edited& e) { e.set_field(norm_of(e), "chunks", e.values.list()); }),
      metadata("an empty tensor of no type",
               [](Edited& e) {
                 e.set_field(norm_of(e), "chunks", e.values.list());
                 e.set_field(norm_of(e), "size", e.values.list({e.values.integer(0)}));
                 e.set_field(norm_of(e), "properties", torch_file::Values::none());
               }),
      metadata(
          "an object that lies in no file",
          [](Edited& e) {
            const auto entries = e.field(e.root, "state_dict_metadata");
            for (const auto& item : torch_file::items_of(e.values, entries)) {
              if (torch_file::class_name(e.values, item.value).ends_with("BytesStorageMetadata")) {
                return e.set(entries, "module.other", item.value);
              }
            }
          }),
      metadata("an object that lies where a tensor does",
               [](Edited& e) {
                 const auto norm = item_of(e, kNormKey);
                 const auto object = item_of(e, kStateKey);
                 for (const char* field : {"relative_path", "offset", "length"}) {
                   e.set_field(object.value, field, e.field(norm.value, field));
                 }
               }),
      metadata("a chunk that .metadata does not have",
               [](Edited& e) {
                 const auto tensor = entry_of(e, "module.decoder.layers.0.mlp.linear_fc1.weight");
                 const auto chunks = e.values.elements(e.field(tensor, "chunks"));
                 e.set_field(tensor, "chunks", e.values.list({chunks[0]}));
               }),
      metadata("items that are compressed",
               [](Edited& e) {
                 const auto items = torch_file::items_of(e.values, e.field(e.root, "storage_data"));
                 e.set_field(items.front().value, "transform_descriptors",
                             e.values.list({e.values.string("zstd")}));
               }),
      metadata("a tensor that is stored flattened",
               [](Edited& e) {
                 const auto facts = e.values.dict();
                 e.set(facts, "nd_reformulated_orig_global_shape",
                       e.values.list({e.values.integer(64)}));
                 const auto tensors = e.values.dict();
                 e.set(tensors, kNormKey, facts);
                 e.set_field(e.root, "mcore_data", tensors);
               }),
      changed("a file of a context that is too large", kDist,
              [](const Scratch& s) {
                s.write("in/context/large", "");
                s.truncate("in/context/large", (64 << 20) + 1);
              }),
      changed("a context of thousands of files", kDist,
              [](const Scratch& s) {
                for (int i = 0; i < 4097; ++i) s.write("in/context/" + std::to_string(i), "");
              }),
      {"an option of NeMo's for names that are Savanna's",
       [](const Scratch& s) {
         return s.convert(
             golden(kDist), "zero1",
             {"--use-subquadratic-ops", "--profile", golden("nemo2/tiny_profile.json")});
       }},
      {"no tensor in a zarr folder",
       [](const Scratch& s) {
         s.write("in/metadata.json", R"({"sharded_backend": "zarr"})");
         return s.convert(s.path("in"), "pt");
       }},
  };
}

}  // namespace ckptbridge::errors
