// Files of ZeRO-3 that are missing, or contradict each other or themselves.
#include "tests/cli/errors/case.h"
#include "tests/cli/errors/edited.h"
#include "tests/unit/flows/zero3_files.h"

namespace ckptbridge::errors {
namespace {

Zero3Files small_zero3() {
  Zero3Files files;
  files.groups = {{{"sequential.2.mlp.w1.weight", {4, 3}}, {"sequential.2.norm.weight", {5}}}};
  files.buffers = {{"sequential.2.filter.t", {2}}};
  return files;
}

// A ZeRO-3 checkpoint in which change contradicts what the rest says.
Case zero3(const std::string& name,
           const std::function<void(const Zero3Files&, const boost::filesystem::path&)>& change) {
  return {name, [=](const Scratch& s) {
            const Zero3Files files = small_zero3();
            const boost::filesystem::path folder = s.path("in");
            files.write(folder);
            change(files, folder);
            return s.convert(folder.string(), "zero1");
          }};
}

Case zero3_of(const std::string& name, const std::function<void(Zero3Files&)>& change) {
  return {name, [=](const Scratch& s) {
            Zero3Files files = small_zero3();
            change(files);
            files.write(s.path("in"));
            return s.convert(s.path("in"), "zero1");
          }};
}

// With a field of the first model file, or the first optimizer file, changed.
Case model_field(const std::string& name, const Edit& edit) {
  return zero3(name, [=](const Zero3Files& f, const boost::filesystem::path& in) {
    edit_pt((in / f.model_name(0, 0)).string(), edit);
  });
}

Case optimizer_field(const std::string& name, const Edit& edit) {
  return zero3(name, [=](const Zero3Files& f, const boost::filesystem::path& in) {
    edit_pt((in / f.optimizer_name(0, 0)).string(), edit);
  });
}

// A parameter of three elements that is frozen, and its fragment on a rank if there is one.
void freeze(Edited& e, std::optional<std::int64_t> fragment) {
  const auto shapes = e.values.dict();
  e.set(shapes, "sequential.3.w", e.values.list({e.values.integer(3)}));
  e.set(e.root, "frozen_param_shapes", shapes);
  if (!fragment) return;
  const auto fragments = e.values.dict();
  e.set(fragments, "sequential.3.w", e.tensor(kBFloat16, {*fragment}));
  e.set(e.root, "frozen_param_fragments", fragments);
}

}  // namespace

std::vector<Case> zero3_cases() {
  namespace fs = boost::filesystem;
  return {
      zero3(
          "an optimizer file that is missing",
          [](const Zero3Files& f, const fs::path& in) { fs::remove(in / f.optimizer_name(1, 0)); }),
      zero3("a model file that is missing",
            [](const Zero3Files& f, const fs::path& in) { fs::remove(in / f.model_name(1, 0)); }),
      zero3("no optimizer file",
            [](const Zero3Files& f, const fs::path& in) {
              fs::remove(in / f.optimizer_name(0, 0));
              fs::remove(in / f.optimizer_name(1, 0));
            }),
      zero3("a file of a rank too many",
            [](const Zero3Files& f, const fs::path& in) {
              fs::copy_file(in / f.model_name(1, 0), in / f.model_name(2, 0));
            }),
      zero3("two files of one rank",
            [](const Zero3Files& f, const fs::path& in) {
              fs::copy_file(in / f.optimizer_name(1, 0),
                            in / f.optimizer_name(1, 0).substr(std::string("bf16_").size()));
            }),
      zero3("files of different steps",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.global_steps = 3;
              other.write_model(in, 1, 0);
            }),
      zero3("files of different DeepSpeeds",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.ds_version = "0.14.0";
              other.write_optimizer(in, 1, 0);
            }),
      zero3("a parameter of another shape on one rank",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.groups[0][0].shape = {4, 4};
              other.write_model(in, 1, 0);
            }),
      zero3("a flat group of another size",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.groups[0][0].shape = {4, 4};
              other.write_optimizer(in, 1, 0);
            }),
      zero3("another number of groups on one rank",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.groups.push_back({{"sequential.9.norm.weight", {5}}});
              other.write_optimizer(in, 1, 0);
            }),
      zero3_of("an optimizer of stage 2", [](Zero3Files& f) { f.zero_stage = 2; }),
      zero3("an impossible shape",
            [](const Zero3Files& f, const fs::path& in) {
              Zero3Files other = f;
              other.groups[0][0].shape = {-4};
              for (int dp = 0; dp < 2; ++dp) other.write_model(in, dp, 0);
            }),
      zero3_of("a shared parameter of which there is no other",
               [](Zero3Files& f) {
                 f.tied = {{"sequential.9.w", "sequential.8.w"}};
               }),
      {"one file of a ZeRO-3 checkpoint",
       [](const Scratch& s) {
         const Zero3Files files = small_zero3();
         files.write(s.path("in"));
         return s.convert(s.path("in/" + files.model_name(0, 0)), "zero1");
       }},
      {"no files of ZeRO-3",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp1/global_step10"), "zero1", {"--from", "zero3"});
       }},
      {"another number of ranks than was said",
       [](const Scratch& s) {
         small_zero3().write(s.path("in"));
         return Arguments{"convert_zero3_to_zero1", s.path("in"), s.out(), "--mp_size", "2"};
       }},
      {"ranks that there are not",
       [](const Scratch& s) {
         small_zero3().write(s.path("in"));
         return Arguments{"convert_zero3_to_zero1", s.path("in"), s.out(),      "--mp_size", "1",
                          "--rank_start",           "0",          "--rank_end", "3"};
       }},
      model_field("shapes that are a number",
                  [](Edited& e) { e.set(e.root, "param_shapes", e.values.integer(1)); }),
      model_field("a shape that is a number",
                  [](Edited& e) {
                    const auto shapes = e.values.dict();
                    e.set(shapes, "sequential.2.norm.weight", e.values.integer(5));
                    e.set(e.root, "param_shapes", shapes);
                  }),
      model_field("a frozen parameter without its fragment",
                  [](Edited& e) { freeze(e, std::nullopt); }),
      model_field("a fragment of another size", [](Edited& e) { freeze(e, 7); }),
      model_field("an empty tensor that is no parameter",
                  [](Edited& e) { e.set(e.at({"module"}), "other", e.tensor(kBFloat16, {0})); }),
      optimizer_field("a number of ranks that there cannot be",
                      [](Edited& e) {
                        e.set(e.at({"optimizer_state_dict"}), "partition_count",
                              e.values.integer(0));
                      }),
      optimizer_field("flat groups that are a number",
                      [](Edited& e) {
                        e.set(e.at({"optimizer_state_dict"}), "fp32_flat_groups",
                              e.values.integer(1));
                      }),
      optimizer_field("a flat group of two dimensions",
                      [](Edited& e) {
                        e.values.append(e.at({"optimizer_state_dict", "fp32_flat_groups"}),
                                        e.tensor(kFloat32, {2, 2}));
                      }),
      optimizer_field("flat groups of two types",
                      [](Edited& e) {
                        e.values.append(e.at({"optimizer_state_dict", "fp32_flat_groups"}),
                                        e.tensor(kFloat16, {4}));
                      }),
  };
}

}  // namespace ckptbridge::errors
