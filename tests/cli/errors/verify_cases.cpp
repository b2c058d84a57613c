// Lists of digests that verify cannot take, and checkpoints that cannot be compared.
#include "tests/cli/errors/case.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge::errors {
namespace {

Case digests(const std::string& name, const std::string& list) {
  return {name, [=](const Scratch& s) {
            return Arguments{"verify", golden("nemo2/input_tiny.pt"), "--manifest",
                             s.write("digests.json", list)};
          }};
}

// A list of one tensor.
Case digest_of(const std::string& name, const std::string& dtype, const std::string& shape,
               const std::string& digest) {
  return digests(name,
                 R"({"ckptbridge_digests": 1, "digest": "xxh3-128", "tensors": [{"name": "w",)"
                 R"( "role": "param", "dtype": ")" +
                     dtype + R"(", "shape": )" + shape + R"(, "digest": ")" + digest + "\"}]}");
}

const std::string kDigest = "0123456789abcdef0123456789abcdef";

}  // namespace

std::vector<Case> verify_cases() {
  return {
      digests("a list of digests that is none", "{}"),
      digests("a list of digests of another version", R"({"ckptbridge_digests": 9})"),
      digests("a list of other digests", R"({"ckptbridge_digests": 1, "digest": "md5"})"),
      digests("a list without tensors", R"({"ckptbridge_digests": 1, "digest": "xxh3-128"})"),
      digest_of("a digest of an unknown dtype", "float31", "[2]", kDigest),
      digest_of("a digest that is none", "float32", "[2]", "0123456789ABCDEF"),
      digest_of("a digest whose shape is no list", "float32", "2", kDigest),
      digest_of("a digest of a size that is no number", "float32", R"(["2"])", kDigest),
      {"models whose names have nothing to do with each other",
       [](const Scratch& s) {
         s.write("other.pt", make_rank_file({{"sequential.2.norm.weight", {2}, "ab"}}));
         return Arguments{"diff", s.path("other.pt"), golden("nemo2/out_torch_dist")};
       }},
      {"a list of digests that there is not",
       [](const Scratch& s) {
         return Arguments{"verify", golden("nemo2/input_tiny.pt"), "--manifest",
                          s.path("absent.json")};
       }},
  };
}

}  // namespace ckptbridge::errors
