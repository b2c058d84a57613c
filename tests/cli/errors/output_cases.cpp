// Outputs that would take the place of something, and files beside them.
#include <boost/filesystem.hpp>

#include "tests/cli/errors/case.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge::errors {
namespace {

namespace fs = boost::filesystem;
const std::string kInput = golden("nemo2/input_tiny.pt");

// What is at OUT before.
Case out(const std::string& name, const std::function<void(const Scratch&)>& make,
         const Arguments& more = {}) {
  return {name, [=](const Scratch& s) {
            make(s);
            return s.convert(kInput, "pt", more);
          }};
}

// A tensor of this name, for a format that makes folders of names.
Case folder_of(const std::string& name, const std::string& tensor) {
  return {name, [=](const Scratch& s) {
            s.write("in.pt", make_rank_file({{tensor, {8}, "12345678"}}));
            return Arguments{"run", "zero1-reader",      "path=" + s.path("in.pt"),
                             "!",   "nemo2-zarr-writer", "path=" + s.out()};
          }};
}

}  // namespace

std::vector<Case> output_cases() {
  return {
      out("an output that is there", [](const Scratch& s) { s.write("out/precious", ""); }),
      out("an output of something else", [](const Scratch& s) { s.write("out/precious", ""); },
          {"--overwrite"}),
      out("a file in the place of the output", [](const Scratch& s) { s.write("out", ""); }),
      out("a link that leads nowhere",
          [](const Scratch& s) { fs::create_symlink("nowhere", s.out()); }),
      out("something else in the place of the staging folder",
          [](const Scratch& s) { s.write("out.ckptbridge-partial", ""); }),
      {"an output in the input",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1");
         return Arguments{"convert", s.path("in"), s.path("in/out"), "--to", "zero1"};
       }},
      {"an output around the input",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1", "big/in");
         return Arguments{"convert", s.path("big/in"), s.path("big"), "--to", "zero1"};
       }},
      {"the input as the output",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1");
         return Arguments{"convert", s.path("in"), s.path("in"), "--to", "zero1"};
       }},
      {"no name of an output",
       [](const Scratch&) {
         return Arguments{"convert", kInput, "", "--to", "pt"};
       }},
      {"the root as the output",
       [](const Scratch&) {
         return Arguments{"convert", kInput, "/", "--to", "pt"};
       }},
      folder_of("a tensor whose name leaves the output", "../../../evil"),
      folder_of("a tensor whose name is a path from the root", "/evil"),
      folder_of("a tensor whose name is no folder", ".."),
      {"a rank file that is there",
       [](const Scratch& s) {
         s.write("out/mp_rank_00_model_states.pt", "x");
         return Arguments{"convert_zero3_to_zero1", golden("zero3/ds_z3_w2_tied"), s.out(),
                          "--mp_size", "1"};
       }},
      {"a folder in the place of a rank file",
       [](const Scratch& s) {
         fs::create_directories(s.path("out/mp_rank_00_model_states.pt"));
         return Arguments{"convert_zero3_to_zero1",
                          golden("zero3/ds_z3_w2_tied"),
                          s.out(),
                          "--mp_size",
                          "1",
                          "--overwrite"};
       }},
      {"a list of digests in the output",
       [](const Scratch& s) {
         return s.convert(kInput, "pt", {"--manifest", s.path("out/list")});
       }},
      {"a list of digests in no folder",
       [](const Scratch& s) {
         return s.convert(kInput, "pt", {"--manifest", s.path("absent/list")});
       }},
      {"a report that is there",
       [](const Scratch& s) {
         return s.convert(kInput, "pt", {"--report", s.write("report", "x")});
       }},
      {"a report that is something else",
       [](const Scratch& s) {
         return s.convert(kInput, "pt", {"--report", s.write("report", "x"), "--overwrite"});
       }},
  };
}

}  // namespace ckptbridge::errors
